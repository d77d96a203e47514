ALTER SUBSCRIPTION s CONNECTION 'password=secret';
-- expect irreversible: 1: the settings of subscription s before

-- before
CREATE TABLE device (id text PRIMARY KEY, made date);
CREATE TABLE reading (device text REFERENCES device, value float8);
-- up
ALTER TABLE reading DROP CONSTRAINT reading_device_fkey;
ALTER TABLE device ALTER id TYPE uuid USING id::uuid;
ALTER TABLE reading ALTER device TYPE uuid USING device::uuid;
ALTER TABLE reading ADD CONSTRAINT reading_device_fkey FOREIGN KEY (device) REFERENCES device;
-- expect down
ALTER TABLE reading DROP CONSTRAINT reading_device_fkey;
ALTER TABLE reading ALTER COLUMN device TYPE text;
ALTER TABLE device ALTER COLUMN id TYPE text;
ALTER TABLE reading ADD CONSTRAINT reading_device_fkey FOREIGN KEY (device) REFERENCES device(id);
-- expect how: statements

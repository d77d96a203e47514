"""What a plan would do and whether it should: looked at before anything runs."""

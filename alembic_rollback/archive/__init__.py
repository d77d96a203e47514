"""What a rollback would lose, kept in the same transaction and put back later.

A table that is dropped is moved away instead, at once and at any size; values of dropped columns
and deleted rows are copied. `store` knows the archive's own tables, `moving` and `capturing` fill
it, `keeping` decides for each statement of a down what has to be kept, `restoring` puts it back.
"""

"""The steps from an empty database to `schema.py`, in order; a step that was released is never changed."""

"""`certkeeper init`: the first page of a machine."""

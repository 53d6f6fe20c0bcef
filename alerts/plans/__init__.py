"""Emergency plans (应急预案) and their runs."""

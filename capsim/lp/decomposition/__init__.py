"""Programs that fall apart into blocks once a few coupling rows are priced or shared out."""

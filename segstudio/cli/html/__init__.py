"""The report of `segstudio compare` as one page that needs no network and runs no script."""

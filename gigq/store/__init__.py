"""All SQL. A verb does one thing inside a transaction that its caller has opened; no module here knows a function."""

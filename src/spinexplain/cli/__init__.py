"""The command line: parse, call the API, write. Heavy imports happen inside the commands."""

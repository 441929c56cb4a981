"""Every file that people hand over: TOML, the library, fits, and writing a file safely."""

"""Everything a reader sees: exhibits, pages, wording, figures and tables."""

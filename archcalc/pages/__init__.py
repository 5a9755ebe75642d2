"""The report: a page for each network, in HTML and Markdown, and an index of all pages."""

"""The report: a page for each network, in HTML and Markdown, and the index over them."""

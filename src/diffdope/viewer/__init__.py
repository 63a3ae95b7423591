"""Results in a browser, by viser: what is shown, how it is drawn, a server, one HTML page."""

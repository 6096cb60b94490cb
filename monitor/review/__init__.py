"""Looking again at what is known, between storage's answers and the commands and pages that show them."""

"""The bundled site of an invented district, its scripted changes, and what a newcomer is shown of them."""

"""The diagrams of the documents, as SVG: ``handshake.py`` and ``pipeline.py`` say what is in them, ``drawing.py`` draws."""

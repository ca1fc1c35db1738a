"""The writing desk: any result -> text, HTML or JSON.

In: a result from `terms`. Out: a string. Refused: a file ending it does not know.
"""

from .as_json import schema, to_dict, to_json
from .as_text import answer_to_text, table_to_text
from .forms import to_html, to_text

__all__ = ["answer_to_text", "schema", "table_to_text", "to_dict", "to_html", "to_json", "to_text"]

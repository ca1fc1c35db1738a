"""The writing desk: any result -> text, HTML or JSON.

In: a result from `terms`. Out: a string. Refused: a file ending it does not know.
"""

from .as_json import schema, to_dict, to_json
from .as_text import to_text

__all__ = ["schema", "to_dict", "to_json", "to_text"]

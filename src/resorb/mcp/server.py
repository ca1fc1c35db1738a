"""The server: tools and resources put together; it speaks over the pipe it was started with, and to nobody else."""

from __future__ import annotations

import json
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError, ToolError
from mcp.server.mcpserver.resources import FunctionResource
from mcp.server.mcpserver.tools import Tool
from mcp_types import ToolAnnotations
from pydantic import ValidationError, create_model

from .. import __version__
from ..evidence import Library, library
from ..evidence.looking_up import every, nearest, whole
from . import inputs
from .places import Places
from .tools import Offer, in_words, offers

READ_ONLY = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
JSON = "application/json"
ASKED = (
    "Ask for nothing that was not said: leave unknown fields out, and say absent only of what was looked for and not found. "
    "Tell red flags first, every number with its interval and source, and every refusal with its reason; add no number of your own. "
    "A person's own words may name a fact otherwise: evidence_words lists the words a case takes."
)


def make(places: Places) -> MCPServer[None]:
    """The server, able to read scans in these places and nowhere else."""
    shelf = library()
    notice = " ".join(shelf.reasoning.notice.split())
    server: MCPServer[None] = MCPServer(
        "resorb",
        title="resorb: can this calcification go away?",
        instructions=f"{notice} {ASKED}",
        version=__version__,
        tools=[_tool(offer, shelf) for offer in offers(places)],
        log_level="ERROR",
    )
    _add_resources(server, shelf)
    return server


class Worded(Tool):
    """A tool that says in the house's words which argument does not fit."""

    async def run(self, *given: Any, **named: Any) -> Any:
        """Call it. What the library says of arguments is worded anew."""
        try:
            return await super().run(*given, **named)
        except ToolError as error:
            if isinstance(error.__cause__, ValidationError):
                raise ToolError(f"{self.name}: {'; '.join(map(self._misfit, error.__cause__.errors()))}") from None
            raise

    def _misfit(self, problem: Any) -> str:
        """One argument: where, what was found, what was expected."""
        where, found = ".".join(map(str, problem["loc"])), repr(problem["input"])[:60]
        if problem["type"] == "missing":
            return f"{where}: found nothing; expected it, since the tool cannot do without"
        if problem["type"] == "extra_forbidden":
            known = self.parameters["properties"] if len(problem["loc"]) == 1 else ("what the schema names",)
            return f"{where}: found an argument that nobody knows here; expected {', '.join(known) or 'none'}"
        return f"{where}: found {found}; expected {str(problem['msg']).removeprefix('Input should be ')}"


def _tool(offer: Offer, shelf: Library) -> Tool:
    """A tool whose schemas are the house's own. An argument nobody knows is refused, not passed over."""
    name = offer.call.__name__.removeprefix("_")
    tool = Worded.from_function(
        in_words(offer.call), name, offer.title, _paragraph(offer.call.__doc__), annotations=READ_ONLY, structured_output=False
    )
    strict = create_model(f"{name}_arguments", __base__=tool.fn_metadata.arg_model, __config__=None)
    strict.model_config["extra"] = "forbid"
    strict.model_rebuild(force=True)
    tool.fn_metadata.arg_model = strict
    tool.fn_metadata.output_schema = offer.answers
    tool.parameters["additionalProperties"] = False
    if name == "assess":
        tool.parameters["properties"]["case"] = inputs.case(shelf)
        tool.parameters["$defs"] = tool.parameters.get("$defs", {}) | inputs.shapes()
    return tool


def _paragraph(text: str | None) -> str:
    return " ".join((text or "").split())


def _add_resources(server: MCPServer[None], shelf: Library) -> None:
    """Every kind by name, and any card by its deck and id."""
    for kind in shelf.decks.kinds:
        about = " ".join(kind.plain.split())
        server.add_resource(FunctionResource.from_function(
            lambda id_=kind.id: _card("kinds", id_), f"evidence://kinds/{kind.id}", kind.id, kind.name, about, JSON
        ))  # fmt: skip

    @server.resource("evidence://{deck}/{id}", name="card", title="Any card, whole, with its sources", mime_type=JSON)
    def any_card(deck: str, id: str) -> str:  # noqa: A002
        """Decks: kinds, causes, words, quantities, formulas, options, questions, sources."""
        return _card(deck, id)


def _card(deck: str, id_: str) -> str:
    shelf = library()
    decks = sorted({name for name, _ in every(shelf)})
    if deck not in decks:
        raise ResourceNotFoundError(f"found the deck {deck[:80]!r}; expected one of {', '.join(decks)}")
    found = whole(id_, shelf, deck)
    if not found:
        raise ResourceNotFoundError(f"found no card {id_[:80]!r}; {nearest(id_, shelf, 'evidence_table names the kinds', deck)}")
    return json.dumps(found[0], indent=1, ensure_ascii=False)

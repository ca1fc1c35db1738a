"""What the doors of the service share: settings, the database, the shelves of files, the hands that work, the audit."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import Any, cast

from fastapi import Request

from .access import Callers
from .audit import Audit
from .guard import known_hosts
from .settings import Settings
from .shelves import MIGRATING, Shelves
from .store import Store, migrate


@dataclass
class House:
    """One running service."""

    settings: Settings
    store: Store
    shelves: Shelves
    audit: Audit
    callers: Callers
    hosts: frozenset[str]
    hook_callers: Any = None
    hands: Any = None
    ready: bool = False

    @classmethod
    def built(cls, settings: Settings) -> House:
        """Everything made, nothing started."""
        from .cds.callers import HookCallers

        shelves = Shelves(settings.folder, settings.limits)
        store = Store(settings.database_url)
        hooked = HookCallers(settings.hooks, store) if settings.hooks.clients else None
        return cls(settings, store, shelves, Audit(store), Callers(settings.access), known_hosts(settings), hooked)

    def open(self) -> None:
        """Make the tables, sweep what a crash left behind, start the hands."""
        from .hands import Hands

        migrate(self.store, self.shelves.root / MIGRATING)
        self.audit.start()
        self.hands = Hands(self.settings, self.store, self.shelves)
        self.hands.start()
        warm_up()
        self.ready = True

    def close(self) -> None:
        """Stop the hands (what they work on is taken up at the next start), write the audit."""
        self.ready = False
        if self.hands is not None:
            self.hands.stop()
        self.audit.stop()
        self.store.close()
        self.shelves.close()


def warm_up() -> None:
    """Load what answers need before the first one is asked for, and keep it out of the garbage collector's rounds."""
    import resorb

    record = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient", "id": "p", "birthDate": "1960-01-01"}}]}
    for case in (record, {"site": "shoulder.supraspinatus", "findings": ["fluffy_margin"]}):
        resorb.assess(resorb.read_case(case))
    gc.collect()
    gc.freeze()


async def house_of(request: Request) -> House:
    """The house a request came to."""
    return cast("House", request.app.state.house)

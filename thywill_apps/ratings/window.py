"""The talk on the desk: a TraitsUI window that shows the model and changes it.

Qt and Twisted share one event loop (qasync), so that everything happens in one thread: a change
that is made here is in the pages the way any other is. TraitsUI, Chaco and Qt are imported when a
window is wanted, not before; ``install_reactor`` comes before anything imports the reactor.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
from collections.abc import Callable
from typing import Any, Final

TOOLKIT: Final = "qt.celiagg"
"""Qt's widgets, drawn by celiagg, which also works where Qt has no display (offscreen)."""


def install_reactor() -> Any:
    """Make Twisted's reactor run on Qt's event loop; gives the QApplication.

    Raises:
        ImportError: a package of the extra ``desktop`` is missing.
        RuntimeError: there is a reactor already.
    """
    os.environ.setdefault("QT_API", "pyside6")
    os.environ["ETS_TOOLKIT"] = TOOLKIT
    from PySide6.QtWidgets import QApplication
    from qasync import QEventLoop

    for name in ("celiagg", "chaco", "traitsui"):
        importlib.import_module(name)  # said to be missing before a window is half open

    if "twisted.internet.reactor" in sys.modules:
        raise RuntimeError("the reactor was imported before the window could choose one")
    application = QApplication.instance() or QApplication(sys.argv[:1])
    loop = QEventLoop(application)
    asyncio.set_event_loop(loop)
    from twisted.internet import asyncioreactor

    asyncioreactor.install(loop)  # type: ignore[no-untyped-call]
    return application


def open_window(model: Any, on_close: Callable[[], object]) -> Any:
    """Show a model; gives the user interface, whose ``info.object`` is the desk.

    Args:
        model: a `RatedTalk`.
        on_close: called when the window has been closed.
    """
    from enable.api import ComponentEditor
    from traits.api import Any as AnyTrait
    from traits.api import Button, HasTraits, Instance, Property, Str, observe
    from traitsui.api import Handler, HGroup, Item, UItem, VGroup, View

    from thywill_apps.ratings.model import RatedTalk
    from thywill_apps.ratings.picture import container

    class Closing(Handler):  # type: ignore[misc]
        def closed(self, info: Any, is_ok: bool) -> None:
            on_close()

    class Desk(HasTraits):
        model = Instance(RatedTalk, allow_none=False)
        said = Property(Str, observe="model.messages.items")
        summary = Property(Str, observe="model.connection_ratings.items")
        plot = AnyTrait()
        entry_field = Str()
        add = Button("Say it")

        def _get_said(self) -> str:
            return "\n".join(f"{each['by']}: {each['text']}" for each in self.model.messages)

        def _get_summary(self) -> str:
            count = len(self.model.connection_ratings)
            return f"{self.model.mean:.2f} of {count} ratings" if count else "no ratings yet"

        @observe("add")  # type: ignore[untyped-decorator]
        def _say(self, _: Any) -> None:
            text = " ".join(self.entry_field.split())
            if text:
                self.model.add_message("The desk", text, f"desk:{os.urandom(8).hex()}")
                self.entry_field = ""

        @observe("model.points")  # type: ignore[untyped-decorator]
        def _draw(self, _: Any) -> None:
            self.plot = container(self.model.points, self.model.distribution)

    desk = Desk(model=model, plot=container(model.points, model.distribution))
    view = View(
        VGroup(
            Item("object.model.topic", label="Topic"),
            Item("summary", style="readonly", label="Mean"),
            UItem("plot", editor=ComponentEditor(size=(720, 300))),
            UItem("said", style="readonly", height=160, springy=True),
            HGroup(UItem("entry_field", springy=True), UItem("add")),
        ),
        title="Ratings",
        resizable=True,
        width=780,
        height=640,
        handler=Closing(),
    )
    return desk.edit_traits(view=view)

"""The viewer's window without a browser."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from diffdope.errors import DiffDopeError
from diffdope.scene.packaged import packaged_example
from diffdope.viewer.content import Body, Content, Moment

pytest.importorskip("viser", reason="the extra `viewer` is not installed")

from diffdope.viewer.serving import start_server, stop_server
from diffdope.viewer.window import Window, as_markdown


def content(drawn: list[int]) -> Content:
    example = packaged_example()

    def moment(k: int) -> Moment:
        drawn.append(k)
        first = Body("object", "result", example.mesh, (example.truth,))
        swarm = Body("others", "hypotheses", example.mesh, (example.start,) * (k % 3), shown=False)
        return Moment(f"moment {k}", (f"text {k}",), example.observation if k % 2 else None, (first, swarm))

    return Content("t", ("all",), (), "frame", [str(k) for k in range(9)], moment)


def test_of_the_places_that_the_slider_passed_only_the_last_is_drawn() -> None:
    drawn: list[int] = []
    window = Window(content(drawn))
    try:
        drawn.clear()
        slider = SimpleNamespace(value=7)
        for _ in range(5):  # five threads that waited while the slider went on
            window._slide(slider)
        assert drawn == [7] and window.shown == 7
        assert "moment 7" in window._texts.content and "text 7" in window._texts.content
    finally:
        window.stop()


def test_switches_hold_over_moments_and_photographs_come_and_go() -> None:
    window = Window(content([]))
    try:
        stage = window.stage
        assert not stage.is_shown("hypotheses") and stage.is_shown("result")
        stage.switch("result", False)
        stage.switch("photograph", False)
        for k in range(9):
            window.show(k)
            handles = {body.kind: shown[0] for body, shown in stage._bodies.values()}
            assert not handles["result"].visible and not handles["hypotheses"].visible
            assert ("photograph" in stage._fixed) == bool(k % 2)
            assert all(not one.visible for one in stage._fixed.get("photograph", ()))
            assert all(one.visible for one in stage._fixed.get("depth", ()))
        stage.switch("result", True)
        assert next(shown[0] for body, shown in stage._bodies.values() if body.kind == "result").visible
    finally:
        window.stop()


def test_a_port_that_is_taken_is_refused_and_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    server = start_server("127.0.0.1", 0, "one")
    try:
        with pytest.raises(DiffDopeError, match="port: expected one that is free at 127.0.0.1"):
            start_server("127.0.0.1", server.get_port(), "two")
    finally:
        stop_server(server)
    for host, port in (("127.0.0.1", 70000), ("203.0.113.7", 0)):
        with pytest.raises(DiffDopeError, match="port: expected one that is free at"):
            start_server(host, port, "three")
    assert capsys.readouterr().out == ""


def test_text_is_no_markdown() -> None:
    assert as_markdown(("a_b *c* [d](e) <f>",)) == "a\\_b \\*c\\* \\[d\\](e) \\<f\\>"

"""`./dev proof`: which proofs run, what is written down, when it says no."""

from __future__ import annotations

import json
import math

import pytest

from tests.proof import __main__ as runner
from tests.proof.figures import PROOFS, Figure, Proof, Scale, proof


@pytest.fixture
def proofs(monkeypatch, tmp_path):
    """Four of our own instead of the real ones."""

    def holds(scale):
        yield Figure.exactly("lost", 0)
        yield Figure("kills", scale.of(200))

    def fails(scale):
        yield Figure.at_most("delay", 260.0, 250, "ms")

    def breaks(scale):
        yield Figure.exactly("lost", 0)
        raise RuntimeError("the server ended")

    def skips(scale):
        yield Figure.exactly("lost", 0)
        pytest.skip("postgres is not installed")

    ours = {"chaos-a": holds, "chaos-b": fails, "broken": breaks, "missing": skips}
    monkeypatch.setattr(runner, "load_all", lambda: None)
    real = dict(PROOFS)
    PROOFS.clear()
    PROOFS.update({name: Proof(name, "A promise.", run) for name, run in ours.items()})
    yield lambda *arguments: runner.main([*arguments, "--results", str(tmp_path)])
    PROOFS.clear()
    PROOFS.update(real)


def test_figures_that_hold_are_written_down_with_machine_and_scale(proofs, tmp_path, capsys):
    assert proofs("chaos-a", "--scale", "0.1") == 0
    written = json.loads((tmp_path / "chaos-a.json").read_text())
    assert (written["holds"], written["scale"]) == (True, 0.1)
    assert "cores" in written["machine"]
    assert [figure["value"] for figure in written["figures"]] == [0, 20]
    assert "lost" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["chaos-b", "broken", "missing"])
def test_one_figure_out_of_bounds_or_an_early_end_says_no(proofs, tmp_path, capsys, name):
    assert proofs("chaos-a", name) == 1
    assert json.loads((tmp_path / f"{name}.json").read_text())["holds"] is False
    assert "NO" in capsys.readouterr().out


def test_a_first_word_stands_for_all_its_proofs(proofs, tmp_path):
    assert proofs("chaos") == 1
    assert {path.stem for path in tmp_path.glob("*.json")} == {"chaos-a", "chaos-b"}


def test_an_unknown_name_is_refused(proofs):
    with pytest.raises(SystemExit, match="2"):
        proofs("chaos-c")


def test_the_list_names_every_proof_and_runs_none(proofs, tmp_path, capsys):
    assert proofs("--list") == 0
    assert {"chaos-a", "broken"} <= set(capsys.readouterr().out.split())
    assert not list(tmp_path.glob("*.json"))


def test_a_scale_shortens_but_never_to_nothing():
    assert [Scale(0.001).of(whole) for whole in (100_000, 200)] == [100, 1]
    assert Scale(0.001).of(200, 4) == 4


def test_what_never_came_holds_no_bound():
    figure = Figure.at_most("shown", math.inf, 3, "s")
    assert (figure.value, figure.holds) == ("never", False)


def test_two_proofs_of_one_name_are_a_mistake():
    register = proof("of-a-test", "Once.")
    try:
        register(lambda scale: iter(()))
        with pytest.raises(ValueError, match="two proofs"):
            register(lambda scale: iter(()))
    finally:
        del PROOFS["of-a-test"]

"""The benchmark's own arithmetic: what counts as a window, a ratio, a floor, a failure."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks import __main__ as program
from benchmarks.cpu import cpu_seconds, tree
from benchmarks.rows import ROWS, Gate, NothingMeasured, Row, Run, Sample

AT_LEAST_FOUR = Gate("times as much", floor=4, aim=8, higher_is_better=True)
AT_MOST_TWO = Gate("times the cost", floor=2, aim=1, higher_is_better=False)


def sample(subject="product", *, work=100.0, cpu=1.0, wall=2.0, client_cpu=0.5):
    return Sample(subject, work, cpu, wall, client_cpu)


def window_of(*samples):
    waiting = iter(samples)

    async def take():
        return next(waiting)

    return take


@pytest.mark.parametrize(
    ("gate", "value", "verdict"),
    [
        (AT_LEAST_FOUR, 8, "aim"),
        (AT_LEAST_FOUR, 4, "floor"),
        (AT_LEAST_FOUR, 3.99, "below"),
        (AT_MOST_TWO, 1, "aim"),
        (AT_MOST_TWO, 2, "floor"),
        (AT_MOST_TWO, 2.01, "below"),
    ],
)
def test_a_figure_is_held_against_floor_and_aim(gate, value, verdict):
    assert gate.verdict(value) == verdict


async def test_subjects_take_turns_and_a_ratio_compares_windows_of_one_round():
    run = Run(rounds=3)
    product = window_of(*(sample(work=work) for work in (500, 900, 700)))
    reference = window_of(*(sample("tutorial", work=100) for _ in range(3)))
    await run.alternate({"product": product, "tutorial": reference})
    run.ratio(AT_LEAST_FOUR, "product", "tutorial")
    figure = run.figures[0].as_dict()
    assert (figure["min"], figure["median"], figure["max"]) == (5, 7, 9)
    assert figure["verdict"] == "floor" and run.passed


async def test_the_median_decides_and_not_the_luckiest_round():
    run = Run(rounds=3)
    product = window_of(*(sample(work=work) for work in (300, 900, 350)))
    reference = window_of(*(sample("tutorial", work=100) for _ in range(3)))
    await run.alternate({"product": product, "tutorial": reference})
    run.ratio(AT_LEAST_FOUR, "product", "tutorial")
    assert not run.passed


def test_the_same_windows_give_cost_and_yield_as_reciprocals():
    run = Run(rounds=1)
    run.add("product", sample(work=300, cpu=1.5, wall=3))
    run.add("tutorial", sample(work=100, cpu=2, wall=2))
    run.ratio(AT_LEAST_FOUR, "product", "tutorial")
    run.ratio(AT_MOST_TWO, "product", "tutorial", per="cpu_per_work")
    run.ratio(AT_LEAST_FOUR, "product", "tutorial", per="work_per_second")
    assert [figure.median for figure in run.figures] == [4, 0.25, 2]


async def test_a_window_in_which_the_clients_were_the_bottleneck_is_taken_again():
    run = Run(rounds=1)
    slow_clients = sample(work=10, client_cpu=1.8)
    await run.alternate({"product": window_of(slow_clients, sample(work=200))})
    assert [kept.work for kept in run.samples["product"]] == [200]
    assert run.rejected == 1


async def test_a_window_in_which_nothing_was_finished_is_taken_again():
    run = Run(rounds=1)
    await run.alternate({"tutorial": window_of(sample(work=0), sample(work=3))})
    assert [kept.work for kept in run.samples["tutorial"]] == [3]


async def test_clients_that_are_always_the_bottleneck_end_the_row():
    run = Run(rounds=1)
    with pytest.raises(NothingMeasured):
        await run.alternate({"product": window_of(*[sample(client_cpu=1.9)] * 9)})


def test_a_run_that_measured_nothing_has_not_passed():
    assert not Run().passed


@pytest.fixture
def rows(monkeypatch):
    """Rows of the test alone: one reaches its floor, one does not, one breaks."""

    def declared(name, value):
        async def measure(run):
            run.value(AT_LEAST_FOUR, value)

        return Row(name, "a row", measure)

    async def breaks(run):
        raise RuntimeError("the server did not start")

    made = [declared("good", 5), declared("bad", 3), Row("broken", "a row", breaks)]
    monkeypatch.setattr(program, "load_rows", lambda: {row.name: row for row in made})
    monkeypatch.setattr(program.os, "sched_setaffinity", lambda *_: None)


@pytest.mark.parametrize(("name", "code"), [("good", 0), ("bad", 1), ("broken", 1)])
def test_the_exit_code_tells_whether_the_floor_was_reached(rows, tmp_path, name, code):
    assert program.main([name, "--results", str(tmp_path)]) == code


def test_all_rows_are_measured_even_when_one_is_below_its_floor(rows, tmp_path, capsys):
    assert program.main(["bad", "good", "--results", str(tmp_path)]) == 1
    assert {path.stem for path in tmp_path.iterdir()} == {"bad", "good"}
    assert "Below the floor: bad" in capsys.readouterr().out


def test_an_unknown_row_is_named():
    with pytest.raises(SystemExit):
        program.main(["no-such-row"])


def test_every_module_of_rows_can_be_loaded_and_names_its_rows():
    assert program.load_rows() is ROWS
    assert "model-stream" in ROWS


SPINNER = "sum(range(9_000_000)); print('spun', flush=True); input()"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SPINNER!r}])"


def test_the_cpu_of_a_process_counts_its_children_too():
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", PARENT], **pipes) as parent:
        assert parent.stdout.readline() == b"spun\n"
        _, child = tree(parent.pid)
        assert cpu_seconds([parent.pid]) > cpu_seconds([child]) > 0.05
        parent.stdin.write(b"\n")

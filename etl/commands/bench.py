"""`bench`: measure beside peers, as ratios within one run."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from etl.commands import show

#: Job -> module of a checkout's tests that measures it.
JOBS = {
    "hl7": "tests.bench.bench_hl7",
    "dicom": "tests.bench.bench_dicom",
    "questions": "tests.bench.bench_questions",
    "rescan": "tests.bench.bench_rescan",
    "serve": "tests.bench.bench_serve",
    "spark": "tests.bench.bench_spark",
    "warehouse": "tests.bench.bench_warehouse",
}
#: Job -> options that it takes.
TAKEN = {"questions": ("published", "rows"), "serve": ("published",)}


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command("bench")
    def bench_verb(
        jobs: Annotated[list[str] | None, typer.Argument(help=f"Jobs: {', '.join(JOBS)}; default all.")] = None,
        quick: Annotated[bool, typer.Option("--quick", help="Fewer repetitions.")] = False,
        published: Annotated[
            Path | None, typer.Option(help="Folder of snapshots that questions and serve ask; default: simulated.")
        ] = None,
        rows: Annotated[int | None, typer.Option(min=1, help="Exams at most that peers of questions load.")] = None,
        json_file: Annotated[Path | None, typer.Option("--json", help="Also save the result here.")] = None,
    ) -> None:
        """Time radops and its peers on the same data; only the ratios mean something elsewhere."""
        import json  # noqa: PLC0415
        import sys  # noqa: PLC0415

        from etl.errors import UnreadableInputError  # noqa: PLC0415

        sys.path.insert(0, str(Path.cwd()))
        wanted = jobs or list(JOBS)
        unknown = [job for job in wanted if job not in JOBS]
        if unknown or find_spec("tests.bench") is None:
            raise UnreadableInputError(f"benchmarks are {', '.join(JOBS)}, run from a checkout of radops")
        options = {"published": published, "rows": rows}
        result: dict[str, Any] = {}
        for job in wanted:
            module = import_module(JOBS[job])
            result[job] = module.run(quick, **{name: options[name] for name in TAKEN.get(job, ())})
            if hasattr(module, "lines"):
                typer.echo("\n".join(module.lines(result[job])))
            else:
                show({job: result[job]}, as_json=False)
            if json_file:
                json_file.write_text(json.dumps(result, indent=1) + "\n", "utf-8")

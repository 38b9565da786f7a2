"""Where in the marts of exams the rows lie that one derivation wrote, so that old rows are looked for there alone.

A key of an exam tells nothing about where its rows lie, and to look for it the engine reads the whole column. But the
rows of one derivation (a part of all exams, or a night) lie together in each mart, and all rows of an exam are of the
same one: that of its row in fct_exam, which is found by its batch. Where stretches are not known, all is looked at. Of
an exam that got another patient and nothing else, rows with the patient alone were written again, in a derivation of
their own, of which `meta_moved` tells those before it.
"""

from __future__ import annotations

import duckdb

from etl.build_scope import stretches

#: `n_rows` rows of a mart are of the derivation `number`: places from `since` to before `upto`, both NULL until the
#: build has ended. A place may be in several stretches.
META_PLACE = (
    "CREATE TABLE IF NOT EXISTS meta_place (mart VARCHAR, number BIGINT, n_rows BIGINT, since BIGINT, upto BIGINT)"
)
#: Exams that the derivation `number` gave another patient have rows of `written` beside; NULL where it is not known.
META_MOVED = "CREATE TABLE IF NOT EXISTS meta_moved (number BIGINT, written BIGINT)"
_OF_EXAM = "fct_exam"
#: Exams as they were; they were first told by a batch that told a mention which was logged.
_PLACES = f"""
    SELECT rowid AS place FROM {_OF_EXAM}
    WHERE first_loaded_batch IN (SELECT first_batch FROM logged_mention)
        AND exam_key IN (SELECT exam_key FROM touched_exam)"""


def settle(con: duckdb.DuckDBPyConnection) -> None:
    """Create both tables, and find where the rows of the last build came to lie: new rows are the last ones.

    Where the engine took out deleted rows, those after them have moved up, none by more than the first new one.
    """
    con.execute(f"{META_PLACE};{META_MOVED}")
    for mart, n_new, end in con.execute("""
            SELECT mart, coalesce(sum(n_rows) FILTER (WHERE since IS NULL), 0), max(upto) FROM meta_place
            GROUP BY mart""").fetchall():  # fmt: skip
        start = _end(con, mart, end or 0) - n_new
        if end is not None and start > end:  # there are rows of which nothing is known
            con.execute("DELETE FROM meta_place; DELETE FROM meta_moved")
            return
        if end is not None and start < end:
            moved = f"since = greatest(since - {end - start}, 0)"
            con.execute(f"UPDATE meta_place SET {moved} WHERE mart = '{mart}' AND since IS NOT NULL")
        con.execute(f"""
            UPDATE meta_place m SET since = {start} + n.upto - n.n_rows, upto = {start} + n.upto
            FROM (SELECT number, n_rows, sum(n_rows) OVER (ORDER BY number) AS upto FROM meta_place
                  WHERE mart = '{mart}' AND since IS NULL) n
            WHERE m.mart = '{mart}' AND m.number = n.number""")


def note(con: duckdb.DuckDBPyConnection, written: list[tuple[str, int, int]], *, is_moved: bool) -> None:
    """Tell what a build wrote: mart, derivation of this build from 0 on, and rows, the last ones of the mart.

    Where `is_moved`, derivation 0 is of the exams of `moved_number`.
    """
    (last,) = con.execute("SELECT coalesce(max(number), 0) FROM meta_place").fetchall()[0]
    rows = [(mart, last + 1 + number, n_rows) for mart, number, n_rows in written if n_rows]
    if rows:
        con.executemany("INSERT INTO meta_place VALUES (?, ?, ?, NULL, NULL)", rows)
    if is_moved:
        con.execute(f"INSERT INTO meta_moved SELECT {last + 1}, number FROM moved_number")


def keep_numbers(con: duckdb.DuckDBPyConnection) -> None:
    """Temp table `moved_number`: of `old_number`, for the exams that are now given another patient."""
    con.execute("CREATE OR REPLACE TEMP TABLE moved_number AS FROM old_number")


def find_exams(con: duckdb.DuckDBPyConnection) -> None:
    """Temp tables `exam_place`, the rows of `touched_exam` in fct_exam, and `old_stretch` (mart, since, upto) beside.

    `old_number` has the derivations of these exams, NULL where one is not known. `old_stretch` has what `meta_place`
    tells of these, of a mart without any a row of NULLs, and nothing where one is not known.
    """
    con.execute(f"CREATE OR REPLACE TEMP TABLE exam_place AS {_PLACES}")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE old_number AS
        WITH found AS (
            SELECT m.number FROM exam_place e
            LEFT JOIN meta_place m ON m.mart = '{_OF_EXAM}' AND m.since <= e.place AND m.upto > e.place
        )
        SELECT number FROM found UNION SELECT v.written FROM meta_moved v JOIN found f USING (number)""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE old_stretch AS
        SELECT k.mart, m.since, m.upto FROM (SELECT DISTINCT mart FROM meta_place) k
        LEFT JOIN meta_place m ON m.mart = k.mart AND m.number IN (SELECT number FROM old_number)
        WHERE NOT EXISTS (SELECT 1 FROM old_number WHERE number IS NULL)""")


def where(con: duckdb.DuckDBPyConnection, mart: str, in_scope: str) -> str:
    """SQL condition on the rows `in_scope` of a mart of exams that names where those of `exam_place` can be."""
    if mart == _OF_EXAM:
        return "rowid IN (SELECT place FROM exam_place)"
    found = con.execute(f"SELECT since, upto FROM old_stretch WHERE mart = '{mart}' ORDER BY ALL NULLS LAST").fetchall()
    if not found:
        return in_scope
    known = stretches([(since, upto) for since, upto in found if since is not None])
    held = " OR ".join(f"rowid >= {since} AND rowid < {upto}" for since, upto in known)
    return f"({held}) AND {in_scope}" if held else "FALSE"


def _end(con: duckdb.DuckDBPyConnection, mart: str, known: int) -> int:
    """The place after the last row of a mart; rows are first looked for from the one before `known` on."""
    for since in (max(known - 1, 0), 0):
        last = con.execute(f"SELECT max(rowid) FROM {mart} WHERE rowid >= {since}").fetchall()[0][0]
        if last is not None:
            return int(last) + 1
    return 0

"""Every model of staging and marts has an equal in Spark, told without Java: what has none is named."""

from __future__ import annotations

import pytest
import sqlglot

from etl.build_models import BuildModel, read_build_models, read_checks
from etl.spark.dialect import FUNCTIONS, NotForSparkError, called, to_spark
from etl.spark.private import private_macros

MACROS = private_macros(b"k" * 32, publish_accession=False, publish_names=False)
MODELS = [model for folder in ("staging", "marts") for model in read_build_models(folder)]


def spark(statement: str) -> str:
    return to_spark(statement, MACROS)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_model_has_an_equal_in_spark(model: BuildModel) -> None:
    """It is transpiled without loss and reads again as Spark; all that it calls is in Spark's table."""
    text = spark(model.body)
    assert isinstance(sqlglot.parse_one(text, read="spark"), sqlglot.exp.Query)
    assert called(text) <= FUNCTIONS


def test_checks_have_an_equal_in_spark() -> None:
    for name, body in read_checks().items():
        assert spark(body), name


def test_all_models_are_looked_at() -> None:
    assert len(MODELS) >= 110
    assert {call for model in MODELS for call in called(spark(model.body))} == FUNCTIONS, "a word that no model uses"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("SELECT list_aggregate(x.a, 'min') FROM x", "list_aggregate"),
        ("SELECT strptime(x.a, '%Y') FROM x", "to_timestamp"),
        ("SELECT epoch_ms(x.a) FROM x", "timestamp_millis"),
        ("SELECT date_diff('hour', x.a, x.b) FROM x", "date_diff of hours"),
        ("SELECT keyed('a') FROM x", "keyed of 1"),
        ("SELECT regexp_extract(x.a, '(a)', 1) FROM x", "regexp_extract"),
        ("SELECT * FROM x POSITIONAL JOIN y", "POSITIONAL"),
        ("SELECT FROM WHERE", "Expected table name"),
    ],
)
def test_what_spark_has_not_is_refused(body: str, told: str) -> None:
    with pytest.raises(NotForSparkError, match=told):
        spark(body)


def test_order_with_nothing_last_is_written_out() -> None:
    assert "NULLS LAST" in spark("SELECT row_number() OVER (ORDER BY x.a) AS n FROM x")
    assert spark("SELECT row_number() OVER (ORDER BY x.a NULLS FIRST) AS n FROM x").count("NULLS LAST") == 0


def test_text_of_what_may_be_nothing_is_never_nothing() -> None:
    assert "CONCAT(COALESCE(CAST(x.a AS STRING), ''), '|')" in spark("SELECT concat(x.a, '|') AS t FROM x")


def test_series_backwards_is_empty() -> None:
    text = spark("SELECT unnest(generate_series(x.a, x.b, INTERVAL 1 DAY)) AS d FROM x")
    assert "CASE WHEN (x.a) <= (x.b) THEN SEQUENCE((x.a), (x.b), (INTERVAL '1' DAY)) END" in text


def test_times_are_instants_of_a_session_in_utc() -> None:
    assert spark("SELECT TIMESTAMP '2026-01-01' AS t") == "SELECT CAST('2026-01-01' AS TIMESTAMP) AS t"


def test_key_is_in_the_statement_only_as_its_pads() -> None:
    text = spark("SELECT keyed('exam', x.a) AS k FROM x")
    assert (b"k" * 32).hex() not in text
    assert "SHA2" in text


def test_macro_within_a_macro_is_replaced_too() -> None:
    assert "SHA2" in spark("SELECT actor_key(x.a, x.b, x.c) AS k FROM x")
    assert "actor_key" not in spark("SELECT actor_key(x.a, x.b, x.c) AS k FROM x").lower()

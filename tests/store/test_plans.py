"""No question reads a growing table from end to end: each plan goes by the key of its rows."""

import re

from sqlalchemy import text

from bench.plans import GROWING, QUESTIONS, fill, listening, plan_of
from detector.store.store import open_store

#: As SQLite and as PostgreSQL say that a table is read whole.
WHOLE = re.compile(rf"SCAN ({'|'.join(GROWING)})(?! USING)|Seq Scan on ({'|'.join(GROWING)})\b")


async def test_every_question_is_answered_by_an_index(url: str) -> None:
    assert await fill(url, services=4, facts=20, often=3) == 4 * 2 * 20 * 3
    store = await open_store(url, read_only=True)
    for question, ask in QUESTIONS.items():
        with listening() as heard:
            await ask(store)
        statements = [one for one in heard if one.looks_at(GROWING)]
        assert statements, question
        async with store._database.read() as connection:
            if connection.dialect.name == "postgresql":
                # Of few rows it would rather read all; the question is whether it has to.
                await connection.execute(text("SET LOCAL enable_seqscan = off"))
            for asked in statements:
                plan = "\n".join(await plan_of(connection, asked))
                assert not WHOLE.search(plan), f"{question}:\n{asked.statement}\n{plan}"
    await store.close()

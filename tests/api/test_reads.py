from tests.api.house import House


async def test_the_matrix_names_what_is_worst_first(seeded: House) -> None:
    document = await seeded.json("/api/v1/matrix")
    assert document["rows"][0]["service"] == "shop-db"

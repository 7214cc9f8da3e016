from app import app

client = app.test_client()


def test_a_todo_is_added_done_and_removed():
    todo = client.post("/todos", json={"title": " buy milk "}).get_json()
    assert (todo["title"], todo["done"]) == ("buy milk", False)
    assert todo in client.get("/todos").get_json()
    path = f"/todos/{todo['id']}"
    assert client.patch(path, json={"done": True}).get_json()["done"] is True
    assert client.delete(path).status_code == 204
    assert client.delete(path).status_code == 404


def test_a_todo_needs_a_title():
    assert client.post("/todos", json={"title": " "}).status_code == 400
    assert client.post("/todos", data="no json").status_code == 400

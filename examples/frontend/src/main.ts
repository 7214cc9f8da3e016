interface Todo {
  id: number;
  title: string;
  done: boolean;
}

const form = document.querySelector<HTMLFormElement>("#new")!;
const list = document.querySelector<HTMLUListElement>("#todos")!;

async function send(method: string, path: string, body?: object): Promise<void> {
  const headers = { "Content-Type": "application/json" };
  await fetch(`/api/todos${path}`, { method, headers, body: body && JSON.stringify(body) });
  await show();
}

async function show(): Promise<void> {
  const todos: Todo[] = await (await fetch("/api/todos")).json();
  list.replaceChildren(...todos.map(item));
}

function item(todo: Todo): HTMLLIElement {
  const box = document.createElement("input");
  box.type = "checkbox";
  box.checked = todo.done;
  box.onchange = () => send("PATCH", `/${todo.id}`, { done: box.checked });
  const title = document.createElement("span");
  title.textContent = ` ${todo.title}`;
  title.className = todo.done ? "done" : "";
  const line = document.createElement("li");
  line.append(box, title);
  return line;
}

form.onsubmit = async (event) => {
  event.preventDefault();
  await send("POST", "", { title: new FormData(form).get("title") });
  form.reset();
};

await show();

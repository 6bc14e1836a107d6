"""OpenAI's own Python SDK, unmodified, against a gateway over simulated providers: `sdk.py BASE_URL`."""

import json
import sys

import openai

client = openai.OpenAI(base_url=sys.argv[1], api_key="relay", max_retries=0)
question = [{"role": "user", "content": "Why is the sky blue?"}]


def plain():
    answer = client.chat.completions.create(model="meta-model", messages=question)
    choice = answer.choices[0]
    assert choice.message.content and choice.finish_reason == "stop", answer
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0, answer
    assert answer.model_extra["meta"]["provider"].startswith("sim-"), answer


def names_its_route():
    raw = client.chat.completions.with_raw_response.create(model="meta-model", messages=question)
    meta = raw.parse().model_extra["meta"]
    assert raw.headers["x-relay-route"] == f"{meta['provider']}/{meta['model']}", raw.headers
    assert int(raw.headers["x-relay-attempts"]) >= 1 and raw.headers["x-request-id"], raw.headers


def streamed_with_usage():
    stream = client.chat.completions.create(
        model="meta-model", messages=question, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    finish = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1]
    assert len(chunks) > 3 and text and finish == "stop", chunks
    assert chunks[-1].usage.completion_tokens > 0, chunks[-1]


def tools_with_their_second_turn():
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tools = [{"type": "function", "function": {"name": "weather", "description": "The weather", "parameters": schema}}]
    messages = [{"role": "user", "content": "How is the weather in Paris?"}]
    first = client.chat.completions.create(model="meta-model", messages=messages, tools=tools, tool_choice="required")
    message = first.choices[0].message
    [call] = message.tool_calls
    assert first.choices[0].finish_reason == "tool_calls" and call.function.name == "weather", first
    assert isinstance(json.loads(call.function.arguments)["city"], str), call
    messages += [message, {"role": "tool", "tool_call_id": call.id, "content": "Sunny, 24 degrees"}]
    second = client.chat.completions.create(model="meta-model", messages=messages, tools=tools)
    assert "Sunny" in second.choices[0].message.content, second


def streamed_tool_call():
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tools = [{"type": "function", "function": {"name": "weather", "parameters": schema}}]
    stream = client.chat.completions.create(
        model="meta-model",
        messages=[{"role": "user", "content": "How is the weather in Paris?"}],
        tools=tools,
        tool_choice="required",
        stream=True,
    )
    deltas = [call for chunk in stream if chunk.choices for call in chunk.choices[0].delta.tool_calls or []]
    assert deltas[0].id and deltas[0].function.name == "weather", deltas
    assert "city" in json.loads("".join(delta.function.arguments or "" for delta in deltas)), deltas


def an_error_has_its_type_and_status():
    try:
        client.chat.completions.create(model="no-such-model", messages=question)
    except openai.NotFoundError as error:
        assert error.status_code == 404 and error.code == "model_not_found" and error.param == "model", error
        assert error.type == "invalid_request_error" and error.request_id, error
    else:
        raise AssertionError("an unknown model was answered")
    try:
        client.chat.completions.create(model="meta-model", messages=[])
    except openai.BadRequestError as error:
        assert error.status_code == 400 and error.type == "invalid_request_error", error
    else:
        raise AssertionError("a request without messages was answered")


def the_models_list():
    models = list(client.models.list())
    assert models[0].id == "meta-model" and len(models) > 4, models
    assert client.models.retrieve(models[-1].id).id == models[-1].id
    answer = client.chat.completions.create(model=models[-1].id, messages=question)
    assert answer.choices[0].message.content, answer


checks = [
    plain,
    names_its_route,
    streamed_with_usage,
    tools_with_their_second_turn,
    streamed_tool_call,
    an_error_has_its_type_and_status,
    the_models_list,
]
for check in checks:
    check()
    print(f"  ok  {check.__name__.replace('_', ' ')}")
print(f"openai {openai.__version__} for Python: {len(checks)} checks passed")

import json

import jsonschema

from spinexplain.results.result_schema import (
    generated_schema,
    read_schema,
    schema_file,
    schema_text,
)


def test_the_shipped_schema_is_generated_from_the_types():
    told = "run python -m spinexplain.results.result_schema"
    assert schema_file().read_text("utf-8") == schema_text(), told


def test_the_schema_itself_is_valid():
    jsonschema.Draft202012Validator.check_schema(read_schema())
    assert read_schema() == json.loads(json.dumps(generated_schema()))

from spinexplain.reproduce import prototype_controls
from spinexplain.reproduce.prototype_controls import CONTROLS, control_settings, train_controls
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.shipped_prototypes import SEEDS, from_trunk


def plain(config):
    return config.model_dump(mode="json")


def test_seeds_differ_from_the_shipped_training_by_seed_and_precision_alone():
    shipped = from_trunk("t.pth", SEEDS[0])
    joint = plain(shipped)["joint"] | {"precision": "bf16"}
    for seed in (1, 2):
        control = control_settings(f"seed-{seed}", "t.pth")
        assert control.seed == seed not in SEEDS
        assert plain(control) | {"seed": shipped.seed} == plain(shipped) | {"joint": joint}


def test_every_control_has_the_shipped_trunk_and_the_same_descent():
    shipped = from_trunk("t.pth", 0)
    for name in CONTROLS:
        control = control_settings(name, "t.pth")
        assert control.trunk == shipped.trunk
        assert control.input == shipped.input
        assert control.augment == shipped.augment
        phase = control.classifier if name.endswith("classifier") else control.joint
        same = shipped.joint.model_dump(exclude={"steps", "precision"})
        assert phase.model_dump(exclude={"steps", "precision"}) == same, name


def test_without_parts_has_no_term_that_drives_prototypes_apart():
    control = control_settings("without-parts", "")
    loss = control.loss
    assert not control.head.addressed
    assert loss.lambda_div == loss.lambda_place == loss.lambda_part == 0
    assert (loss.lambda_clst, loss.lambda_sep) == (0.8, -0.08)


def test_the_supervised_classifier_is_the_plain_one_with_the_shipped_truth_and_sampling():
    shipped = from_trunk("t.pth", 0)
    supervised = control_settings("supervised-classifier", "t.pth")
    bare = control_settings("plain-classifier", "t.pth")
    assert supervised.classifier == bare.classifier
    assert supervised.head == bare.head
    assert supervised.loss.lambda_place == shipped.loss.lambda_place > 0
    assert supervised.loss.lambda_height == shipped.loss.lambda_joint_height
    names = ("sampling", "twin_share")
    assert all(getattr(supervised, name) == getattr(shipped, name) for name in names)


def test_controls_are_trained_on_the_shipped_sheets_and_kept_by_name(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(prototype_controls, "taken_trunk", lambda folder: folder / "trunk.pth")
    monkeypatch.setattr(prototype_controls, "read_all", lambda setting, counts: counts)
    monkeypatch.setattr(
        prototype_controls,
        "train_model",
        lambda config, data, run, **rest: asked.append((config, data, run)) or config,
    )
    monkeypatch.setattr(prototype_controls, "named_trunk", lambda run: run)
    monkeypatch.setattr(prototype_controls, "_stated", lambda name, run: name)
    monkeypatch.setattr(prototype_controls, "bundle_of", lambda run, statement: (run, statement))
    saved = {}
    monkeypatch.setattr(
        prototype_controls,
        "save_bundle",
        lambda bundle, path, force: saved.update({path.name: bundle}),
    )
    setting = Setting(tmp_path, tmp_path, tmp_path, tmp_path)
    paths = train_controls(setting, ("seed-2", "plain-classifier"))
    assert list(paths) == list(saved) == ["seed-2", "plain-classifier"]
    assert saved["seed-2"][0].seed == 2
    assert {run.name for _, _, run in asked} == {"run-seed-2", "run-plain-classifier"}
    assert all(data is prototype_controls.TRAINING for _, data, _ in asked)

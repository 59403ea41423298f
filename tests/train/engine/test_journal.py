import csv

import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn

from spinexplain.train.engine.journal import Journal


def test_checkpoint_is_read_back_whole_and_without_pickle(tmp_path):
    model = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    Journal(tmp_path).save("warm", 7, model, optimizer)
    other = nn.Linear(3, 2)
    fresh = torch.optim.AdamW(other.parameters())
    assert Journal(tmp_path, resume=True).restore("warm", other, fresh) == 7
    assert torch.equal(other.weight, model.weight)
    moments = [s["exp_avg"] for s in fresh.state_dict()["state"].values()]
    assert all(float(m.abs().sum()) > 0 for m in moments)
    saved = torch.load(tmp_path / "warm.ckpt", weights_only=True)
    assert saved["torch"] == torch.__version__
    assert saved["threads"] == torch.get_num_threads()


def test_without_resume_or_checkpoint_a_phase_starts_at_zero(tmp_path):
    model = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    assert Journal(tmp_path, resume=True).restore("warm", model, optimizer) == 0
    Journal(tmp_path).save("warm", 7, model, optimizer)
    assert Journal(tmp_path).restore("warm", model, optimizer) == 0


def test_losses_are_kept_as_csv_and_for_tensorboard(tmp_path):
    journal = Journal(tmp_path)
    for step in range(3):
        journal.write("warm", step, {"total": torch.tensor(0.5 * step)})
    rows = list(csv.DictReader((tmp_path / "log.csv").open()))
    assert [(r["phase"], r["step"], r["value"]) for r in rows][2] == ("warm", "2", "1")
    journal._board.finalize("success")
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(e.step, e.value) for e in events.Scalars("warm/total")] == [(0, 0), (1, 0.5), (2, 1)]


def test_rows_that_will_be_written_again_are_dropped(tmp_path):
    journal = Journal(tmp_path)
    for phase, step in (("warm", 0), ("warm", 1), ("warm", 2), ("joint-1", 0)):
        journal.write(phase, step, {"total": torch.tensor(1.0)})
    with (tmp_path / "log.csv").open("a") as file:
        file.write("joint-1,1,tot")  # cut off by a kill
    journal.forget("warm", 1)
    rows = list(csv.reader((tmp_path / "log.csv").open()))
    assert [row[:2] for row in rows] == [["phase", "step"], ["warm", "0"], ["joint-1", "0"]]
    Journal(tmp_path / "nowhere").forget("warm", 0)

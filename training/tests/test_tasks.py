"""Training: what counts in the loss, a run that was ended goes on as if it had not been, the plan and its folders."""

import os
import tempfile
import types
import unittest
import unittest.mock
from pathlib import Path

import numpy as np
import torch

from hilum_training.data import Row
from hilum_training.data.labels import FINDINGS
from hilum_training.experiments import check as check_figures
from hilum_training.experiments import evaluate, plan, queue, shipped
from hilum_training.tasks import check, findings, kept, vgg
from hilum_training.tasks.checkpoint import RunFolder
from hilum_training.tasks.findings import FindingsRun, Training, masked_loss


def rows() -> list[Row]:
    """Ten COVID-19 films of one source, ten normal ones of another."""
    return [
        Row(
            i,
            f"{i}.jpg",
            "cohen" if i < 10 else "kermany",
            f"cohen/{i}" if i < 10 else f"kermany/{i}",
            "PA",
            "covid" if i < 10 else "normal",
            "",
            "",
            "CC BY",
            "train",
        )
        for i in range(20)
    ]


def stub():
    """A data set of noise and its crops."""
    films, rng = rows(), np.random.default_rng(1)
    data = types.SimpleNamespace(rows=films, key="stub", select=lambda keep: [r for r in films if keep(r)])
    crops = types.SimpleNamespace(
        data=data,
        film=rng.integers(0, 256, (20, 224, 224), np.uint8),
        box=rng.integers(0, 256, (20, 256, 256), np.uint8),
        kept=lambda rows, region: None,
    )
    return data, crops


class CacheCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.cache = Path(folder.name)
        patch = unittest.mock.patch.dict(os.environ, HILUM_CACHE_DIR=folder.name)
        patch.start()
        self.addCleanup(patch.stop)


class Loss(unittest.TestCase):
    def test_what_is_not_known_does_not_count(self):
        logits = torch.tensor([[0.0, 3.0], [2.0, -1.0]], requires_grad=True)
        masked_loss(logits, torch.tensor([[1, -1], [0, -1]], dtype=torch.int8), torch.tensor([1.0, 0.5])).backward()
        self.assertEqual(logits.grad[:, 1].abs().sum(), 0)
        self.assertLess(logits.grad[0, 0], 0)
        self.assertGreater(logits.grad[1, 0], 0)


class Resuming(CacheCase):
    def training(self, name: str) -> Training:
        data, crops = stub()
        with unittest.mock.patch.object(findings, "start_from_imagenet", lambda net, path: net):
            return Training(FindingsRun(name, passes=1, draws=16, dense_passes=0.5), data, crops)

    @unittest.mock.patch.object(findings, "BATCH", 8)
    @unittest.mock.patch.object(findings, "PART", 4)
    def test_a_run_that_was_ended_goes_on_as_if_it_had_not_been(self):
        whole = self.training("whole")
        whole.fit()
        first = self.training("parted")
        first.loop.one_step()
        first.loop.save()
        second = self.training("parted")
        with unittest.mock.patch.object(second.loop, "one_step", wraps=second.loop.one_step) as one_step:
            second.fit()
        self.assertEqual(one_step.call_count, second.loop.steps - 1)
        for name, value in whole.net.state_dict().items():
            torch.testing.assert_close(value, second.net.state_dict()[name], rtol=0, atol=1e-5, msg=name)


class Folders(CacheCase):
    def test_other_settings_begin_anew(self):
        folder = RunFolder("run", {"seed": 1})
        folder.save(step=3)
        self.assertEqual(RunFolder("run", {"seed": 1}).load(), {"step": 3})
        self.assertIsNone(RunFolder("run", {"seed": 2}).load())

    def test_states(self):
        first, second, third = plan.plan()[:3]
        data, _ = stub()
        self.assertEqual(queue.state(first, data), "waiting")
        folder = RunFolder(first.name, first.settings(data))
        folder.save(step=1)
        self.assertEqual(queue.state(first, data), "begun")
        folder.finish({"rows": np.arange(2)}, {}, trained=[0])
        self.assertEqual((queue.state(first, data), folder.done, folder.load()), ("done", True, None))
        self.assertEqual(queue.next_run(data).name, second.name)
        RunFolder(second.name, second.settings(data))
        (queue.folder(second.name) / "failed.txt").write_text("why")
        self.assertEqual(queue.next_run(data).name, third.name)
        data.key = "other films"
        self.assertEqual((queue.state(first, data), queue.state(second, data)), ("waiting", "waiting"))

    def test_one_queue_for_one_cache(self):
        pid = self.cache / "pid"
        pid.write_text("1\n")
        queue.claim(pid)
        self.assertEqual(pid.read_text(), f"{os.getpid()}\n")
        pid.write_text("1\n")
        with (
            unittest.mock.patch.object(queue, "alive", lambda number: True),
            self.assertRaisesRegex(SystemExit, "process 1"),
        ):
            queue.claim(pid)


class Plan(unittest.TestCase):
    def test_names_are_their_own_and_parts_are_of_the_plan(self):
        names = [run.name for run in plan.plan()]
        self.assertEqual(len(names), len(set(names)))
        for part, runs in plan.PARTS.items():
            with self.subTest(part):
                self.assertFalse({run.name for run in runs()} - set(names))


class Cells(unittest.TestCase):
    def test_negatives(self):
        films = [
            Row(i, f"{i}.jpg", s, f"{s}/{i}", v, f, "", "", "", "test")
            for i, (s, v, f) in enumerate(
                [
                    ("cohen", "PA", "covid"),
                    ("cohen", "PA", "other"),
                    ("kermany", "AP", "normal"),
                    ("nih", "PA", "other"),
                    ("cxnet", "PA", "covid"),
                    ("cohen", "L", "covid"),
                    ("nih", "PA", "unknown"),
                ]
            )
        ]
        data = types.SimpleNamespace(rows=films, select=lambda keep: [r for r in films if keep(r)])
        wanted = {
            "all other films": [0, 1, 2, 3, 4],
            "other disease only": [0, 1, 3, 4],
            "Cohen + Kermany": [0, 1, 2],
            "Cohen's COVID-19 + Kermany": [0, 2],
        }
        for kind, expected in wanted.items():
            with self.subTest(kind):
                self.assertEqual(
                    [r.index for r in vgg.cell_rows(data, vgg.VggRun("x", negatives=kind), "test")], expected
                )
        view = vgg.cell_rows(data, vgg.VggRun("x", positive=vgg.LATERAL), "test")
        self.assertEqual([vgg.is_positive(r, vgg.LATERAL) for r in view].count(True), 1)


class Checks(unittest.TestCase):
    def test_a_batch_holds_every_answer(self):
        films = object.__new__(check.Pictures)
        _, films.crops = stub()
        films.frontal, films.lateral, films.chance = list(range(15)), [15, 16], np.full(15, 1 / 15)
        films.others = np.random.default_rng(2).integers(0, 256, (3, 224, 224), np.uint8)
        films.run = check.CheckRun("check", drawn=0.5)
        films.drawn = {lateral: np.zeros((check.DRAWN, 224, 224), np.uint8) for lateral in (False, True)}
        z, classes = films.batch(np.random.default_rng(1))
        self.assertEqual((z.shape, len(classes)), ((32, 1, 224, 224), 32))
        counts = np.bincount(classes.numpy(), minlength=len(check.CLASSES))
        self.assertEqual((counts[check.FRONTAL], counts[check.LATERAL]), (check.FRONTALS, check.LATERALS))
        self.assertTrue(float(z.min()) >= -1 and float(z.max()) <= 1)

    def test_every_kind_of_changed_film_has_a_reason(self):
        self.assertEqual(set(check.KIND_CLASS), set(check.KINDS))

    def test_refusal_and_view(self):
        p = check_figures.softmax(np.array([[4.0, 0, 0, 0, 0, 0, 0], [0, 4.0, 0, 0, 0, 0, 0], [0, 0, 0, 4.0, 0, 0, 0]]))
        self.assertEqual((check.refusal(p) > 0.5).tolist(), [False, False, True])
        self.assertEqual((check.lateral_share(p) > 0.5).tolist()[:2], [False, True])


class Figures(CacheCase):
    def predicted(self, name: str, index: list[int], logits: np.ndarray) -> None:
        RunFolder(name, {}).finish(
            {
                "rows": np.array(index),
                "logits": logits,
                "findings": np.array(FINDINGS),
                "crops": np.array(["film", "box"]),
            },
            {},
            trained=[],
        )

    def test_means_of_networks_crops_and_sides(self):
        data, _ = stub()
        z = np.arange(2 * 2 * 2 * len(FINDINGS), dtype=np.float32).reshape(2, 2, 2, -1)
        self.predicted("a", [3, 12], z)
        self.predicted("b", [12, 5], z + 1)
        both = evaluate.read(data, ["a", "b"])
        self.assertEqual([r.index for r in both.rows], [12])
        np.testing.assert_allclose(both.logits[0], (z[1].mean((0, 1)) + z[0].mean((0, 1)) + 1) / 2)
        np.testing.assert_allclose(evaluate.read(data, ["a"], ("box",), mirrored=False).logits[0], z[0, 1, 0])

    def test_area(self):
        data, _ = stub()
        z = np.zeros((20, 2, 2, len(FINDINGS)), np.float32)
        z[:10, ..., 0] = 1
        self.predicted("a", list(range(20)), z)
        entry = evaluate.area(evaluate.read(data, ["a"]), "covid")
        self.assertEqual((entry["films"], entry["positive"], entry["auc"]["value"]), (20, 10, 1.0))
        self.assertIsNone(evaluate.area(evaluate.read(data, ["a"]), "tuberculosis"))

    def test_age_groups(self):
        ages = [
            Row(0, "", "cohen", "cohen/0", "PA", "covid", "", "", "", "train", age=age)
            for age in ("39", "40", "60", "", "x")
        ]
        self.assertEqual([evaluate.age_group(r) for r in ages], ["under 40", "40 to 59", "60 and over", None, None])

    def test_heat_on_the_film_has_the_logit_as_its_mean(self):
        rng = np.random.default_rng(1)
        film, box = rng.normal(size=(14, 14)), rng.normal(size=(14, 14))
        heat = shipped.on_film(film, box, (28, 56, 140, 168))
        self.assertAlmostEqual(
            float(heat.mean()), float(shipped.raised(film[None]).mean() + shipped.raised(box[None]).mean()), places=2
        )
        self.assertEqual(float(np.abs(heat - shipped.raised(film[None])[0])[:50].max()), 0)


class Kept(CacheCase):
    """What the repository keeps of a run stands for the run, but for those whose weights ship."""

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        patch = unittest.mock.patch.object(kept, "KEPT", Path(folder.name))
        patch.start()
        self.addCleanup(patch.stop)

    def run_once(self, run) -> dict:
        folder = RunFolder(run.name, run.settings(stub()[0]))
        predicted = {
            "rows": np.arange(3),
            "logits": np.array([[0.1], [-7.3], [2.0]], np.float32),
            "findings": np.array(["covid"]),
        }
        folder.finish(predicted, {"w": torch.ones(1)}, trained=[4, 5])
        kept.keep(run.name)
        return predicted

    def test_gives_the_same_without_the_cache(self):
        run = plan.left_out("cohen", 1)
        predicted = self.run_once(run)
        from_cache = kept.finished(run.name)
        os.environ["HILUM_CACHE_DIR"] = str(self.cache / "another")
        again = kept.finished(run.name)
        self.assertEqual(again.facts["trained"], [4, 5])
        self.assertEqual(again.settings, from_cache.settings)
        for key, value in predicted.items():
            np.testing.assert_array_equal(again.predictions[key], from_cache.predictions[key])
            if key == "logits":
                np.testing.assert_allclose(again.predictions[key], value, atol=4e-3)
            else:
                np.testing.assert_array_equal(again.predictions[key], value)
        self.assertEqual(queue.state(run, stub()[0]), "done")

    def test_other_settings_and_what_ships_are_trained(self):
        run = plan.default(1)
        self.run_once(run)
        self.run_once(plan.left_out("cohen", 1))
        os.environ["HILUM_CACHE_DIR"] = str(self.cache / "another")
        self.assertEqual(queue.state(run, stub()[0]), "waiting")
        self.assertEqual(
            queue.state(FindingsRun("without-cohen-1", passes=9, splits=plan.NOT_VAL, left_out="cohen"), stub()[0]),
            "waiting",
        )
        self.assertIsNone(kept.finished("without-nih-1"))


if __name__ == "__main__":
    unittest.main()

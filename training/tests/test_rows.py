"""Who may be learnt from, what is known of a film, which rows a run sees, crops, draws and augmentation."""

import types
import unittest

import numpy as np
import torch

from hilum_training.data import Row, augment, crops, draws, labels, partition, terms
from hilum_training.data.preprocess import SIZE


def row(
    index=0,
    source="cohen",
    finding="covid",
    view="PA",
    licence="CC BY",
    split="train",
    patient=None,
    host="",
    labels="",
):
    return Row(
        index,
        f"{source}/{index}.jpg",
        source,
        f"{source}/{patient or index}",
        view,
        finding,
        "",
        "",
        licence,
        split,
        host,
        "",
        "",
        labels,
    )


class Terms(unittest.TestCase):
    def test_research_and_permissive(self):
        allowed = {
            row(licence="CC BY-NC-SA 4.0"): (True, False),
            row(licence="CC BY-SA"): (True, False),
            row(licence="CC BY 4.0"): (True, True),
            row(licence="CC BY-NC-ND 4.0"): (False, False),
            row(licence=""): (False, False),
            row(licence="not stated in metadata.csv"): (False, False),
            row(source="figure1"): (False, False),
            row(source="actualmed"): (False, False),
            row(source="vqarad"): (False, False),
            row(source="nih"): (True, True),
            row(source="radiography", finding="normal"): (True, False),
            row(source="kermany"): (True, True),
            row(source="ozturk", licence="NIH ChestX-ray8: no restriction"): (True, True),
            row(source="ozturk", licence="as Cohen (per image); not stated here"): (False, False),
        }
        for film, expected in allowed.items():
            with self.subTest(source=film.source, licence=film.licence):
                self.assertEqual((terms.research(film), terms.permissive(film)), expected)


class Labels(unittest.TestCase):
    def known(self, film, **more):
        return dict(zip(labels.FINDINGS, labels.label_table([film], **more)[0].tolist(), strict=True))

    def test_covid_is_an_opacity_and_abnormal(self):
        known = self.known(row())
        self.assertEqual(
            [known[n] for n in ("covid", "abnormal", "opacity", "tuberculosis", "effusion")], [1, 1, 1, 0, -1]
        )

    def test_unknown_is_unknown(self):
        self.assertEqual(set(self.known(row(finding="unknown")).values()), {-1})
        self.assertEqual(self.known(row(source="vqarad", finding="other"))["abnormal"], -1)

    def test_tuberculosis(self):
        known = self.known(row(source="shenzhen", finding="other"))
        self.assertEqual(
            [known[n] for n in ("covid", "abnormal", "opacity", "tuberculosis", "effusion")], [0, 1, -1, 1, -1]
        )

    def test_experts_have_the_last_word(self):
        film = row(
            source="nih",
            finding="normal",
            labels="NIH: Effusion|Infiltration; expert4: none of 4; expert14: No Finding",
        )
        known = self.known(film)
        self.assertEqual([known[n] for n in ("abnormal", "opacity", "effusion")], [0, 0, 0])
        reports = self.known(film, experts=False)
        self.assertEqual([reports[n] for n in ("abnormal", "opacity", "effusion")], [1, 1, 1])

    def test_normal_films_have_nothing(self):
        self.assertEqual(set(self.known(row(source="radiography", finding="normal")).values()), {0})


class Partition(unittest.TestCase):
    def setUp(self):
        films = [
            row(
                i,
                patient=f"p{i // 2}",
                finding="covid" if i % 4 < 2 else "other",
                host="eurorad.org",
                licence="CC BY-NC-SA",
            )
            for i in range(40)
        ]
        films += [
            row(
                40 + i,
                source="nih",
                patient=f"nih-{i}",
                finding="normal",
                split=("train", "val", "test")[i % 3],
                labels="NIH: No Finding",
            )
            for i in range(30)
        ]
        films += [
            row(70, view="L"),
            row(71, source="figure1"),
            row(72, source="ozturk", patient="nih-3", licence="NIH ChestX-ray8"),
        ]
        self.data = types.SimpleNamespace(rows=films, select=lambda keep: [r for r in films if keep(r)])

    def test_folds_part_patients(self):
        everything = ("train", "val", "test")
        judged = []
        for fold in range(partition.FOLDS):
            trained = partition.training_rows(self.data, splits=everything, fold=fold)
            rows = partition.judged_rows(self.data, trained, fold=fold)
            self.assertFalse({r.patient for r in trained} & {r.patient for r in rows})
            self.assertEqual({r.covid for r in rows}, {True, False})
            judged += rows
        self.assertEqual(sorted(r.index for r in judged), list(range(40)))

    def test_a_group_left_out_is_judged_whole(self):
        trained = partition.training_rows(self.data, splits=("train", "test"), left_out="nih")
        self.assertEqual({r.source for r in trained}, {"cohen"})
        judged = partition.judged_rows(self.data, trained, left_out="nih")
        self.assertEqual(sum(r.source == "nih" for r in judged), 30)
        self.assertIn("figure1", {r.source for r in judged})
        self.assertFalse(any(r.lateral for r in trained + judged))

    def test_a_patient_of_nih_is_one_in_both_sources(self):
        self.assertEqual(partition.patient_key(self.data.rows[43]), partition.patient_key(self.data.rows[72]))


class Crops(unittest.TestCase):
    def test_box_as_the_service_has_it(self):
        mask = np.zeros((SIZE, SIZE), bool)
        mask[50:151, 20:121] = True
        self.assertEqual(crops.box_around(mask), (11, 41, 130, 160))
        self.assertEqual(crops.box_around(np.zeros((SIZE, SIZE), bool)), (0, 0, SIZE, SIZE))

    def test_the_middle_of_the_margin_is_the_box(self):
        film = np.random.default_rng(1).random((SIZE, SIZE))
        wide = crops.cut_with_margin(film, (20, 0, 200, 224))
        np.testing.assert_array_equal(wide[16:-16, 16:-16], crops.cut(film, (20, 0, 200, 224)))
        self.assertEqual(float(wide[:15].max()), 0)
        self.assertGreater(float(wide[100, :15].min()), 0)

    def test_the_margin_goes_on_where_the_box_ends(self):
        film = np.tile(np.arange(SIZE) / SIZE, (SIZE, 1))
        steps = np.diff(crops.cut_with_margin(film, (40, 0, 180, 224))[100, 20:-20])
        self.assertLess(steps.max() / steps.min(), 1.1)


class Draws(unittest.TestCase):
    def test_half_is_positive_and_sources_count_by_their_root(self):
        rows = (
            [row(i) for i in range(9)]
            + [row(9 + i, source="nih") for i in range(4)]
            + [row(13 + i, source="kermany") for i in range(16)]
        )
        positive = np.array([r.source == "cohen" for r in rows])
        chance = draws.draw_chances(rows, positive)
        self.assertAlmostEqual(chance[:9].sum(), 0.5)
        self.assertAlmostEqual(chance[9:13].sum() / chance[13:].sum(), 2 / 4)


class Augmentation(unittest.TestCase):
    def test_nothing_moved_is_the_middle(self):
        x = torch.rand(2, 1, 256, 256)
        still = augment.matrices(2, np.random.default_rng(1), 0, 0, 0, 0, 0)
        np.testing.assert_allclose(augment.warp(x, still, 224).numpy(), x[:, :, 16:-16, 16:-16].numpy(), atol=1e-4)

    def test_the_same_seed_gives_the_same_films(self):
        x = torch.rand(3, 1, 224, 224)
        first, second = (augment.augmented(x, np.random.default_rng([1, 7]), 224) for _ in range(2))
        np.testing.assert_array_equal(first.numpy(), second.numpy())
        self.assertEqual(first.shape, (3, 1, 224, 224))
        self.assertTrue(float(first.min()) >= 0 and float(first.max()) <= 1)


if __name__ == "__main__":
    unittest.main()

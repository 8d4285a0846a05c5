"""Result folders against ground truth folders; trackeval's own file reader as the oracle."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mmdeepmot.errors import InputError
from mmdeepmot.evaluation import OVERALL, evaluate_folder
from mmdeepmot.evaluation.folder import gt_roles
from mmdeepmot.evaluation.functional import GtRole
from mmdeepmot.io.mot import MOTRows, read_mot_text, write_mot_text

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "association"
needs_shared_data = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"needs the real sequences in {SHARED}"
)

FRAMES = 12


def street(seed: int) -> MOTRows:
    """Ground truth with every class of MOT17 and both flags, close together."""
    rng = np.random.default_rng(seed)
    parts = []
    for number, cls in enumerate([1, 1, 1, 1, 2, 3, 7, 8, 9, 11, 12, 6, 1]):
        left = rng.uniform(0, 200) + rng.normal(0, 3) * np.arange(FRAMES)
        box = np.stack([left, left * 0 + 20, left + 40, left * 0 + 120], axis=1)
        parts.append(
            MOTRows.from_arrays(
                np.arange(1, FRAMES + 1),
                np.full(FRAMES, number + 1),
                box + rng.uniform(-2, 2, box.shape),
                scores=np.full(FRAMES, float(cls == 1 and number < 12)),
                classes=np.full(FRAMES, cls),
            )
        )
    return MOTRows.concatenate(parts)


def results_on(gt: MOTRows, seed: int) -> MOTRows:
    """Noisy boxes on everything, with gaps and changed identities."""
    rng = np.random.default_rng(seed)
    kept = gt[rng.random(len(gt)) < 0.8]
    ids = kept.ids + 100 * ((kept.frames > FRAMES // 2) & (kept.ids % 2 == 0))
    return MOTRows.from_arrays(kept.frames, ids, kept.bboxes + rng.normal(0, 2, kept.bboxes.shape))


def write_sequence(root: Path, name: str, gt: MOTRows, length: int = FRAMES) -> None:
    write_mot_text(root / name / "gt" / "gt.txt", gt, kind="gt")
    (root / name / "seqinfo.ini").write_text(
        f"[Sequence]\nname={name}\nimDir=img1\nframeRate=30\nseqLength={length}\n"
        "imWidth=640\nimHeight=480\nimExt=.jpg\n"
    )


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Results and ground truth of two sequences."""
    for seed, name in enumerate(("MOT17-91", "MOT17-92")):
        gt = street(seed)
        write_sequence(tmp_path / "gt", name, gt)
        write_mot_text(tmp_path / "results" / f"{name}.txt", results_on(gt, seed))
    return tmp_path / "results", tmp_path / "gt"


def official(results: Path, gt: Path, names: list[str], benchmark: str, monkeypatch) -> dict:
    """Scores by trackeval reading the same folders itself."""
    import trackeval

    monkeypatch.setattr("builtins.print", lambda *args, **kwargs: None)
    dataset = trackeval.datasets.MotChallenge2DBox(
        {
            "GT_FOLDER": str(gt),
            "TRACKERS_FOLDER": str(results.parent),
            "TRACKERS_TO_EVAL": [results.name],
            "TRACKER_SUB_FOLDER": "",
            "BENCHMARK": benchmark,
            "SEQ_INFO": dict.fromkeys(names),
            "SKIP_SPLIT_FOL": True,
            "PRINT_CONFIG": False,
        }
    )
    config = {"PRINT_CONFIG": False}
    metrics = [
        trackeval.metrics.HOTA(),
        trackeval.metrics.CLEAR(dict(config)),
        trackeval.metrics.Identity(dict(config)),
    ]
    scores: dict[str, dict] = {name: {} for name in [*names, OVERALL]}
    for metric in metrics:
        parts = {}
        for name in names:
            raw = dataset.get_raw_seq_data(results.name, name)
            parts[name] = metric.eval_sequence(dataset.get_preprocessed_seq_data(raw, "pedestrian"))
        for name, part in {**parts, OVERALL: metric.combine_sequences(parts)}.items():
            scores[name].update(part)
    return scores


def assert_official(table, expected: dict) -> None:
    rates = dict(MOTA="MOTA", MOTP="MOTP", IDF1="IDF1", HOTA="HOTA", DetA="DetA", AssA="AssA",
                 Prec="CLR_Pr", Rec="CLR_Re", IDP="IDP", IDR="IDR")  # fmt: skip
    counts = dict(IDs="IDSW", FP="CLR_FP", FN="CLR_FN", Frag="Frag", MT="MT", PT="PT", ML="ML")
    assert list(table.rows) == list(expected)
    for name, row in table.rows.items():
        for ours, theirs in rates.items():
            want = 100 * np.mean(expected[name][theirs])
            assert row[ours] == pytest.approx(want, abs=1e-6), (name, ours)
        for ours, theirs in counts.items():
            assert row[ours] == expected[name][theirs], (name, ours)


def test_equals_trackeval_reading_the_same_files(folders, monkeypatch) -> None:
    results, gt = folders
    table = evaluate_folder(results, gt, evaluator="trackeval")
    assert "results on ignored boxes" in table.to_text()
    assert table.overall["IDs"] > 0
    assert table.overall["FP"] > 0  # cars and occluders: results on them do count
    assert_official(table, official(results, gt, ["MOT17-91", "MOT17-92"], "MOT17", monkeypatch))


@needs_shared_data
def test_equals_trackeval_on_mot17(tmp_path, monkeypatch) -> None:
    name, root = "MOT17-05", SHARED / "MOT17"
    gt = read_mot_text(root / name / "gt" / "gt.txt", "gt")
    rng = np.random.default_rng(0)
    rows = gt[rng.random(len(gt)) < 0.85]
    rows.bboxes += rng.normal(0, 6, rows.bboxes.shape)
    rows.bboxes[:, 2:] = np.maximum(rows.bboxes[:, 2:], rows.bboxes[:, :2] + 2)
    rows.ids += 1000 * (rows.frames // 57)
    write_mot_text(tmp_path / "results" / f"{name}.txt", rows)
    table = evaluate_folder(tmp_path / "results", root, "trackeval", sequences=[name])
    assert_official(table, official(tmp_path / "results", root, [name], "MOT17", monkeypatch))
    # The papers' convention differs only in what it remembers.
    papers = evaluate_folder(tmp_path / "results", root, sequences=[name]).overall
    assert papers["IDF1"] == pytest.approx(table.overall["IDF1"])
    assert papers["HOTA"] == table.overall["HOTA"]
    assert papers["MOTA"] == pytest.approx(table.overall["MOTA"], abs=0.5)
    assert papers["MOTP"] == pytest.approx(table.overall["MOTP"], abs=0.1)


@needs_shared_data
@pytest.mark.parametrize("evaluator", ["motmetrics", "trackeval"])
@pytest.mark.parametrize("benchmark", ["MOT15/KITTI-13", "MOT15/PETS09-S2L1", "MOT17/MOT17-05"])
def test_ground_truth_as_results(benchmark: str, evaluator: str, tmp_path: Path) -> None:
    """True boxes score 100; changed by hand they lose exactly what was changed."""
    root, name = SHARED / benchmark.split("/")[0], benchmark.split("/")[1]
    gt = read_mot_text(root / name / "gt" / "gt.txt", "gt")
    rows = gt[gt_roles(gt, "auto", name) == GtRole.COUNTED]
    values, counts = np.unique(rows.ids, return_counts=True)
    longest = values[counts.argmax()]

    def score(results: MOTRows) -> dict[str, float]:
        write_mot_text(tmp_path / f"{name}.txt", results)
        return evaluate_folder(tmp_path, root, evaluator, sequences=[name]).overall

    perfect = score(rows)
    for key in ("MOTA", "IDF1", "HOTA", "Prec", "Rec"):
        assert perfect[key] == pytest.approx(100), key
    assert perfect["MOTP"] == pytest.approx(100, abs=0.01)  # files keep three digits
    assert (perfect["GT"], perfect["Tracks"]) == (len(rows), len(values))

    lost = score(rows[rows.ids != longest])
    assert (lost["FN"], lost["FP"], lost["IDs"], lost["ML"]) == (counts.max(), 0, 0, 1)
    assert lost["MOTA"] == pytest.approx(100 * (1 - counts.max() / len(rows)))

    own = np.flatnonzero(rows.ids == longest)
    own = own[np.argsort(rows.frames[own])]
    renamed = MOTRows.from_arrays(rows.frames, rows.ids.copy(), rows.bboxes)
    renamed.ids[own[len(own) // 2 :]] = 9999
    switched = score(renamed)
    assert (switched["IDs"], switched["FP"], switched["FN"]) == (1, 0, 0)
    smaller = len(own) // 2
    assert switched["IDF1"] == pytest.approx(100 * (len(rows) - smaller) / len(rows))


def test_order_of_rows_does_not_matter(folders: tuple[Path, Path]) -> None:
    results, gt = folders
    expected = evaluate_folder(results, gt).rows
    for path in results.glob("*.txt"):
        lines = path.read_text().splitlines()
        path.write_text("\n".join(np.random.default_rng(0).permutation(lines)) + "\n")
    got = evaluate_folder(results, gt).rows
    for name, row in got.items():
        assert row == pytest.approx(expected[name])


def test_roles_by_benchmark() -> None:
    classes = np.arange(-1, 14)
    rows = MOTRows.from_arrays(
        np.ones(15), np.arange(15), np.tile([0, 0, 1, 1], (15, 1)), np.ones(15), classes
    )

    def ignored(benchmark: str, name: str = "x") -> list[int]:
        roles = gt_roles(rows, benchmark, name)  # type: ignore[arg-type]
        assert classes[roles == GtRole.COUNTED].tolist() == [1]
        return classes[roles == GtRole.IGNORED].tolist()

    assert ignored("auto", "MOT17-02") == ignored("MOT16") == [2, 7, 8, 12]
    assert ignored("auto", "MOT20-01") == ignored("MOT20") == [2, 6, 7, 8, 12]
    assert (gt_roles(rows, "MOT15", "x") == GtRole.COUNTED).all()
    rows.scores[:] = 0
    assert (gt_roles(rows, "MOT15", "x") == GtRole.BYSTANDER).all()
    roles = gt_roles(rows, "MOT17", "x")
    assert roles[classes == 1] == GtRole.BYSTANDER
    assert roles[classes == 8] == GtRole.IGNORED


def test_roles_agree_with_the_datasets() -> None:
    """Models are trained and scored on the same boxes."""
    from mmdeepmot.datasets.mot_challenge import ignored_classes, target_rows

    rows = street(0)
    for name in ("MOT17-02", "MOT20-01"):
        target, ignore = target_rows(rows, ignored_classes(name))
        roles = gt_roles(rows, "auto", name)
        assert (target == (roles == GtRole.COUNTED)).all()
        assert (ignore == (roles == GtRole.IGNORED)).all()


def test_world_coordinates_of_mot15_are_no_classes(tmp_path: Path) -> None:
    """Column 8 of MOT15 is a position in the world: 7.2 there is not a static person."""
    gt = tmp_path / "gt" / "TUD" / "gt"
    gt.mkdir(parents=True)
    (gt / "gt.txt").write_text("1,1,0,0,10,20,1,7.2,8,0\n1,2,50,0,10,20,0,1,1,0\n")
    (tmp_path / "TUD.txt").write_text("1,1,0,0,10,20,1,-1,-1,-1\n")
    overall = evaluate_folder(tmp_path, tmp_path / "gt").overall
    assert (overall["MOTA"], overall["GT"]) == (100, 1)


def test_empty_result_file_is_a_sequence_without_tracks(folders: tuple[Path, Path]) -> None:
    results, gt = folders
    (results / "MOT17-91.txt").write_text("")
    table = evaluate_folder(results, gt)
    assert table.rows["MOT17-91"]["MOTA"] == 0
    assert table.rows["MOT17-91"]["FN"] == table.rows["MOT17-91"]["GT"] == 4 * FRAMES


def test_missing_and_extra_files_are_named(folders, caplog: pytest.LogCaptureFixture) -> None:
    results, gt = folders
    (results / "MOT17-77.txt").write_text("")
    table = evaluate_folder(results, gt)
    assert list(table.rows) == ["MOT17-91", "MOT17-92", OVERALL]
    assert "1 result files" in caplog.text
    assert "MOT17-77.txt" in caplog.text
    assert list(evaluate_folder(results, gt, sequences=["MOT17-92"]).rows) == ["MOT17-92", OVERALL]
    assert list(evaluate_folder(results, gt, sequences=["*-9?", "MOT17-91"]).rows) == list(
        table.rows
    )
    (results / "MOT17-92.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"1 of 2 result files are missing.*MOT17-92\.txt"):
        evaluate_folder(results, gt)
    with pytest.raises(InputError, match=r"no sequence is called 'MOT17-1'"):
        evaluate_folder(results, gt, sequences=["MOT17-1"])
    with pytest.raises(FileNotFoundError, match="expected the folder of the ground truth"):
        evaluate_folder(results, gt / "nowhere")
    with pytest.raises(
        FileNotFoundError, match=r"expected sequences \(SEQ/gt/gt.txt\), found none"
    ):
        evaluate_folder(results, results)
    with pytest.raises(FileNotFoundError, match="expected a folder of results"):
        evaluate_folder(gt / "nowhere", gt)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("3,1,nan,20,40,100,1,-1,-1,-1", r"MOT17-91\.txt:2: expected finite numbers"),
        ("1,1,10,20,40,100,1,-1,-1,-1", r"MOT17-91\.txt:2: .*id 1 twice or more in frame 1"),
        ("3,1,10,20,0,100,1,-1,-1,-1", r"MOT17-91\.txt:2: expected a box of positive width"),
        ("99,1,10,20,40,100,1,-1,-1,-1", r"MOT17-91\.txt: expected frames 1 to 12 .*got frame 99"),
    ],
)
def test_bad_rows_are_errors(folders: tuple[Path, Path], row: str, message: str) -> None:
    results, gt = folders
    (results / "MOT17-91.txt").write_text(f"1,1,10,20,40,100,1,-1,-1,-1\n{row}\n")
    with pytest.raises(ValueError, match=message):
        evaluate_folder(results, gt)


def test_ranges_of_frames(folders: tuple[Path, Path]) -> None:
    results, gt = folders
    half = {"MOT17-91": (7, 12)}
    table = evaluate_folder(results, gt, sequences=["MOT17-91"], frame_ranges=half)
    assert table.overall["GT"] == 4 * 6
    whole = evaluate_folder(results, gt, sequences=["MOT17-91"]).overall
    rest = evaluate_folder(
        results, gt, sequences=["MOT17-91"], frame_ranges={"MOT17-91": (1, 6)}
    ).overall
    assert whole["FN"] == table.overall["FN"] + rest["FN"]
    assert whole["FP"] == table.overall["FP"] + rest["FP"]


def test_wrong_options_come_before_any_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="benchmark must be one of"):
        evaluate_folder(tmp_path, tmp_path, benchmark="MOT18")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="evaluator must be one of"):
        evaluate_folder(tmp_path, tmp_path, "py-motmetrics")  # type: ignore[arg-type]


def test_torch_is_never_imported(folders: tuple[Path, Path]) -> None:
    results, gt = folders
    (results / "extra.txt").write_text("")
    code = (
        "import sys; from mmdeepmot.evaluation import evaluate_folder; "
        f"print(evaluate_folder({str(results)!r}, {str(gt)!r})); "
        "assert 'torch' not in sys.modules, 'torch was imported'; "
        "assert 'mmdet.models' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2].startswith(OVERALL)
    assert "extra.txt" in done.stderr

"""What a tracker got right and wrong in every frame, and pictures of it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mmdeepmot.evaluation.functional.preprocess import EPS, matched_to_ignored
from mmdeepmot.evaluation.functional.sequence import GtRole, TrackingSequence
from mmdeepmot.structures.boxes import iou_matrix
from mmdeepmot.visualization.draw import (
    Boxes,
    Image,
    Style,
    check_image,
    draw_bar,
    draw_tagged_boxes,
)

# The palette of Okabe and Ito, told apart by colour-blind people too; BGR.
MATCH_COLOR = (115, 158, 0)
FALSE_POSITIVE_COLOR = (0, 94, 213)
MISS_COLOR = (233, 180, 86)
SWITCH_COLOR = (66, 228, 240)

_DASH = 6  # in line widths


@dataclass(slots=True)
class FrameErrors:
    """One frame in the terms of CLEAR MOT.

    Attributes:
        matched: ``(N, 4)`` xyxy px, results on the object they were on before (or its first).
        switched: ``(S, 4)`` results on an object that had another identity before.
        switched_ids: ``(S, 2)`` that identity, and the present one.
        false_positives: ``(P, 4)`` results on no object.
        misses: ``(M, 4)`` objects of the ground truth without a result.
    """

    matched: Boxes
    switched: Boxes
    switched_ids: NDArray[np.integer]
    false_positives: Boxes
    misses: Boxes


def find_errors(sequence: TrackingSequence, iou_threshold: float = 0.5) -> dict[int, FrameErrors]:
    """Matches, switches, false positives and misses of every frame, as motmetrics counts them.

    Results on ignored boxes of the ground truth are left out, as in the metrics, so the pictures
    agree with the table.

    Args:
        sequence: Ground truth and results.
        iou_threshold: Least overlap of a match.

    Returns:
        Frame number (as in the sequence) -> its errors, for every frame with a box.
    """
    import motmetrics

    accumulator = motmetrics.MOTAccumulator()
    rows: dict[int, tuple[dict[int, Boxes], dict[int, Boxes]]] = {}
    with motmetrics.lap.set_default_solver("scipy"):
        for frame in np.union1d(sequence.gt_frames, sequence.pred_frames).tolist():
            gt, pred = sequence.gt_frames == frame, sequence.pred_frames == frame
            overlaps = iou_matrix(sequence.gt_bboxes[gt], sequence.pred_bboxes[pred])
            kept = ~matched_to_ignored(overlaps, sequence.gt_roles[gt])
            counted = sequence.gt_roles[gt] == GtRole.COUNTED
            overlaps = overlaps[np.ix_(counted, kept)]
            objects, results = sequence.gt_ids[gt][counted], sequence.pred_ids[pred][kept]
            distances = np.where(overlaps >= iou_threshold - EPS, 1.0 - overlaps, np.nan)
            accumulator.update(objects, results, distances, frameid=frame)
            rows[frame] = (
                dict(zip(objects.tolist(), sequence.gt_bboxes[gt][counted], strict=True)),
                dict(zip(results.tolist(), sequence.pred_bboxes[pred][kept], strict=True)),
            )
    return _by_frame(accumulator, rows)


def _by_frame(
    accumulator: object, rows: dict[int, tuple[dict[int, Boxes], dict[int, Boxes]]]
) -> dict[int, FrameErrors]:
    events = accumulator.mot_events.reset_index()  # type: ignore[attr-defined]
    found: dict[int, dict[str, list]] = {
        frame: {"MATCH": [], "SWITCH": [], "FP": [], "MISS": [], "ids": []} for frame in rows
    }
    partner: dict[int, int] = {}
    columns = (events[name].tolist() for name in ("FrameId", "Type", "OId", "HId"))
    for frame, kind, gt_id, pred_id in zip(*columns, strict=True):
        gt_boxes, pred_boxes = rows[frame]
        if kind == "MISS":
            found[frame][kind].append(gt_boxes[int(gt_id)])
        elif kind == "FP":
            found[frame][kind].append(pred_boxes[int(pred_id)])
        elif kind in ("MATCH", "SWITCH"):
            found[frame][kind].append(pred_boxes[int(pred_id)])
            if kind == "SWITCH":
                found[frame]["ids"].append((partner[int(gt_id)], int(pred_id)))
            partner[int(gt_id)] = int(pred_id)
    return {
        frame: FrameErrors(
            matched=np.array(kinds["MATCH"]).reshape(-1, 4),
            switched=np.array(kinds["SWITCH"]).reshape(-1, 4),
            switched_ids=np.array(kinds["ids"], dtype=np.int64).reshape(-1, 2),
            false_positives=np.array(kinds["FP"]).reshape(-1, 4),
            misses=np.array(kinds["MISS"]).reshape(-1, 4),
        )
        for frame, kinds in found.items()
    }


def draw_errors(
    image: Image,
    errors: FrameErrors,
    *,
    frame_number: int | None = None,
    style: Style | None = None,
) -> Image:
    """A frame with its errors: FP, FN (dashed), switches with both identities, and counts.

    Args:
        image: ``(H, W, 3)`` uint8 BGR.
        errors: From :func:`find_errors`.
        frame_number: Written in the bar.
        style: Line and letter sizes; by default they follow the image's size.

    Returns:
        A new image of the same shape.
    """
    check_image(image)
    style = style or Style.for_image(image)
    canvas = image.copy()
    height, width = image.shape[:2]
    outside = style.line  # a box cut off by the border keeps its lines out of sight
    limits = np.array([width, height, width, height]) + outside
    for box in np.rint(np.clip(errors.misses, -outside, limits)).astype(np.int64).tolist():
        _draw_dashed(canvas, box, style)
    switch_tags = [f"{old} > {new}" for old, new in errors.switched_ids.tolist()]
    groups = (
        (errors.matched, MATCH_COLOR, [""] * len(errors.matched)),
        (errors.false_positives, FALSE_POSITIVE_COLOR, ["FP"] * len(errors.false_positives)),
        (errors.switched, SWITCH_COLOR, switch_tags),
    )
    for boxes, color, tags in groups:
        colors = np.full((len(boxes), 3), color, dtype=np.uint8)
        draw_tagged_boxes(canvas, boxes, tags, colors, style)
    white = (255, 255, 255)
    parts = [] if frame_number is None else [(f"frame {frame_number}", white)]
    found = len(errors.matched) + len(errors.switched)
    parts += [
        (f"TP {found}", MATCH_COLOR),
        (f"FP {len(errors.false_positives)}", FALSE_POSITIVE_COLOR),
        (f"FN {len(errors.misses)}", MISS_COLOR),
        (f"IDs {len(errors.switched)}", SWITCH_COLOR),
    ]
    draw_bar(canvas, parts, style)
    return canvas


def _draw_dashed(canvas: Image, box: list[int], style: Style) -> None:
    left, top, right, bottom = box
    dash = _DASH * style.line
    for start in range(left, right, 2 * dash):
        end = min(start + dash, right)
        for y in (top, bottom):
            cv2.line(canvas, (start, y), (end, y), MISS_COLOR, style.line)
    for start in range(top, bottom, 2 * dash):
        end = min(start + dash, bottom)
        for x in (left, right):
            cv2.line(canvas, (x, start), (x, end), MISS_COLOR, style.line)

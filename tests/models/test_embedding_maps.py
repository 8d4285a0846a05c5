"""Dense embedding maps: the same numbers as the embeddings of boxes at the same places."""

import pytest
import torch
from fairmot_small import small_fairmot
from jde_small import small_jde

SIZE = (96, 128)


def image() -> torch.Tensor:
    return torch.rand(2, 3, *SIZE, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("make", [small_jde, small_fairmot])
@torch.no_grad()
def test_maps_are_unit_vectors_on_every_scale(make):
    model = make().eval()
    maps = model.embedding_maps(image())
    assert [one.stride for one in maps] == ([8, 16, 32] if make is small_jde else [4])
    for one in maps:
        assert one.values.shape == (2, 16, SIZE[0] // one.stride, SIZE[1] // one.stride)
        assert one.values.dtype == torch.float32
        assert one.values.norm(dim=1).flatten() == pytest.approx(1, abs=1e-5)


@torch.no_grad()
def test_a_box_has_the_embedding_of_its_cell_in_fairmot():
    model = small_fairmot().eval()
    (dense,) = model.embedding_maps(image())
    boxes = torch.tensor([[10.0, 20, 27, 69], [64, 8, 80, 56], [0, 0, 7.9, 7.9]])
    for number, (found, valid) in enumerate(model.embed(image(), [boxes, boxes])):
        assert valid.all()
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2
        column, row = (centres / dense.stride).long().T
        assert torch.allclose(found, dense.values[number, :, row, column].T, atol=1e-5)
    # The cell's place is the middle of the square that those centres fall into.
    place = torch.stack((column, row), dim=1) * dense.stride + dense.origin
    assert ((place - centres).abs() <= dense.stride / 2).all()


@torch.no_grad()
def test_a_box_has_the_embedding_of_its_anchors_cell_in_jde():
    model = small_jde().eval()
    head = model.bbox_head
    maps = model.embedding_maps(image())
    for scale, dense in enumerate(maps):
        width, height = head.anchor_sizes[scale][1]
        row, column = 2, 1
        x, y = (index * dense.stride + dense.origin for index in (column, row))
        box = torch.tensor([x - width / 2, y - height / 2, x + width / 2, y + height / 2])
        ((found, valid), _) = model.embed(image(), [box[None], box[None]])
        assert valid.all()
        assert torch.allclose(found[0], dense.values[0, :, row, column], atol=1e-5)

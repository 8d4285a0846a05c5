"""The Deep Hungarian Net's variants against their definition, one matrix after another."""

import math
import time

import pytest
import torch
from matcher_cases import of_many_sizes, padded
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from mmdeepmot.errors import InputError
from mmdeepmot.models.matchers import DHN, ConvDHN
from mmdeepmot.models.matchers.flatten import flattening, run_recurrence

VARIANTS = [(order, cell) for order in ("sequential", "parallel") for cell in ("gru", "lstm")]


def by_definition(net: DHN, distances: Tensor) -> Tensor:
    """Logits ``(N, M)`` of one matrix ``(N, M)``: lists of entries through the recurrences."""
    height, width = distances.shape
    seen = torch.where(distances > 1, net.forbidden_value, distances)
    entries = [seen[i, j].reshape(1) for i in range(height) for j in range(width)]
    row_states = net.by_rows(torch.stack(entries)[None])[0][0]
    by_column = [i * width + j for j in range(width) for i in range(height)]
    if net.order == "sequential":
        states = net.by_columns(torch.stack([row_states[k] for k in by_column])[None])[0][0]
    else:
        states = net.by_columns(torch.stack([entries[k] for k in by_column])[None])[0][0]
        reduced = [net.reduce_rows(row_states[by_column]), net.reduce_columns(states)]
        states = torch.cat(reduced, dim=1)
    for layer in net.head:
        states = layer(states)
    result = torch.empty(height * width, dtype=states.dtype)
    result[by_column] = states[:, 0]
    return result.view(height, width)


def small(order: str = "sequential", cell: str = "gru", **settings: object) -> DHN:
    """A net of few parameters in float64, without dropout."""
    settings = {"hidden": 6, "widths": (8, 4), "dropout": 0.0, **settings}
    return DHN(order=order, cell=cell, **settings).double()


@pytest.mark.parametrize(("order", "cell"), VARIANTS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (5, 1), (3, 4)])
def test_follows_the_definition(order: str, cell: str, shape: tuple[int, int]) -> None:
    net = small(order, cell)
    distances = 1.3 * torch.rand(shape, dtype=torch.float64)
    expected = by_definition(net, distances)
    torch.testing.assert_close(net.logits(distances), expected)
    soft = torch.where(distances > 1, 0, expected.sigmoid())
    torch.testing.assert_close(net(distances), soft)


@pytest.mark.parametrize(("order", "cell"), VARIANTS)
def test_padded_batches_follow_the_definition(order: str, cell: str) -> None:
    """Logits, and the gradient of the distances, are those of each matrix alone."""
    net = small(order, cell)
    matrices = of_many_sizes(torch.float64)
    distances, rows, columns = padded(matrices)
    distances.requires_grad_()
    logits = net.logits(distances, rows, columns)
    weights = torch.rand_like(logits)
    (logits * weights).sum().backward()
    assert distances.grad is not None
    for index, matrix in enumerate(matrices):
        if not matrix.numel():
            continue
        alone = matrix.clone().requires_grad_()
        inner = (index, slice(matrix.shape[0]), slice(matrix.shape[1]))
        expected = by_definition(net, alone)
        (expected * weights[inner]).sum().backward()
        torch.testing.assert_close(logits[inner], expected)
        torch.testing.assert_close(distances.grad[inner], alone.grad)


@pytest.mark.parametrize(
    ("order", "cell", "count"),
    [
        ("sequential", "gru", 4_093_825),
        ("sequential", "lstm", 5_409_153),
        ("parallel", "gru", 3_308_929),
        ("parallel", "lstm", 4_362_625),
    ],
)
def test_parameters_at_the_papers_size(order: str, cell: str, count: int) -> None:
    """A GRU has 3 h (i + h + 2) parameters a direction and layer, an LSTM 4 h (i + h + 2)."""
    net = DHN(order=order, cell=cell)
    gates, h = {"gru": 3, "lstm": 4}[cell], 256
    layer = lambda inputs: 2 * gates * h * (inputs + h + 2)  # noqa: E731
    second = 2 * h if order == "sequential" else 1
    recurrent = layer(1) + layer(second) + 2 * layer(2 * h)
    assert (
        sum(p.numel() for r in (net.by_rows, net.by_columns) for p in r.parameters()) == recurrent
    )
    assert sum(p.numel() for p in net.parameters()) == count
    assert net.by_rows.dropout == 0.2 and net.by_rows.num_layers == 2


def test_gradcheck() -> None:
    net = small()
    distances, rows, columns = padded([torch.rand(2, 3), torch.rand(3, 1)], 0.0)
    distances = distances.double().requires_grad_()
    assert torch.autograd.gradcheck(lambda d: net.logits(d, rows, columns), distances)


def test_every_entry_sees_every_other() -> None:
    net = small()
    distances = torch.rand(3, 4, dtype=torch.float64, requires_grad=True)
    logits = net.logits(distances)
    for logit in logits.flatten():
        (gradient,) = torch.autograd.grad(logit, distances, retain_graph=True)
        assert (gradient != 0).all()


def test_dropout_only_in_training() -> None:
    net = DHN(hidden=8, widths=(8, 4))
    distances = torch.rand(4, 5)
    assert not torch.equal(net.train().logits(distances), net.logits(distances))
    assert torch.equal(net.eval().logits(distances), net.logits(distances))
    torch.testing.assert_close(net(distances), torch.sigmoid(by_definition(net, distances)))


def test_recurrences_in_evaluation_can_be_differentiated_by_cudnn() -> None:
    """Which wants them in training mode; then nothing may be dropped."""
    model = nn.Sequential(DHN(hidden=2)).eval()
    recurrences = [part for part in model.modules() if isinstance(part, nn.RNNBase)]
    assert [(part.training, part.dropout) for part in recurrences] == [(True, 0.0)] * 2
    model.train()
    assert [(part.training, part.dropout) for part in recurrences] == [(True, 0.2)] * 2


def test_mixed_precision() -> None:
    """Under autocast, padded and not, as without it within the precision of bfloat16."""
    net = DHN(hidden=8, widths=(8, 4)).eval()
    distances, rows, columns = padded([torch.rand(2, 3), torch.rand(3, 1)])
    with torch.autocast("cpu", torch.bfloat16):
        batch, alone = net(distances, rows, columns), net(distances[0, :2])
    torch.testing.assert_close(batch.float(), net(distances, rows, columns), rtol=0, atol=0.02)
    torch.testing.assert_close(alone.float(), net(distances[0, :2]), rtol=0, atol=0.02)


def test_learns_to_assign_small_matrices() -> None:
    """Fifty steps on one batch: the loss falls to a fifth, through the logits."""
    torch.manual_seed(0)
    net = DHN(hidden=16, widths=(16, 8), dropout=0.0)
    distances = torch.rand(8, 3, 3)
    target = torch.eye(3).expand(8, 3, 3)
    distances = torch.where(target > 0, 0.3 * distances, distances)
    optimizer = torch.optim.RMSprop(net.parameters(), 3e-3)
    losses = []
    for _ in range(50):
        logits = net.logits(distances)
        loss = nn.functional.binary_cross_entropy_with_logits(logits, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


def test_forbidden_value() -> None:
    """All that the net sees of a forbidden pair; it matters to the others."""
    distances = torch.rand(3, 3, dtype=torch.float64)
    distances[0, 0] = torch.inf
    torch.manual_seed(0)
    net = small()
    first = net(distances)
    net.forbidden_value = 1.5
    second = net(distances)
    assert first[0, 0] == second[0, 0] == 0
    assert not torch.allclose(first, second)


@pytest.mark.parametrize("kind", [DHN, ConvDHN])
@pytest.mark.parametrize("value", [1.0, torch.inf, torch.nan])
def test_forbidden_value_is_bounded_and_above_any_distance(kind: type, value: float) -> None:
    with pytest.raises(InputError, match=f"{kind.__name__}: expected forbidden_value above 1"):
        kind(forbidden_value=value)


def test_unknown_variant() -> None:
    with pytest.raises(
        InputError, match=r"expected \(order, cell\) among .* got \('both', 'gru'\)"
    ):
        DHN(order="both")


def test_flattening_by_hand() -> None:
    """A 2 x 2 and a 1 x 3 matrix in a batch of 2 x 3, the last column of the first masked."""
    valid = torch.tensor([[[1, 1, 0], [1, 1, 0]], [[0, 0, 0], [1, 1, 1]]]).bool()
    order = flattening(valid)
    assert order.lengths.tolist() == [4, 3]
    # Steps: (first of both), (second of both), (third of both), (fourth of the first, none).
    assert order.by_rows.tolist() == [[0, 9], [1, 10], [3, 11], [4, 12]]
    assert order.by_columns.tolist() == [[0, 9], [3, 10], [1, 11], [4, 12]]
    reordered = order.by_rows.flatten()[order.rows_to_columns].tolist()
    assert reordered[:-1] == order.by_columns.flatten().tolist()[:-1]


@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM])
def test_recurrences_of_different_lengths_are_those_of_packed_sequences(kind: type) -> None:
    """Torch's packed sequences as oracle: states and the gradients of weights and values."""
    recurrence = kind(3, 5, num_layers=2, bidirectional=True).double()
    lengths = torch.tensor([4, 7, 1])
    values = torch.rand(7, 3, 3, dtype=torch.float64, requires_grad=True)
    valid = (torch.arange(7)[:, None] < lengths)[..., None]
    packed = pack_padded_sequence(values, lengths, enforce_sorted=False)
    expected = pad_packed_sequence(recurrence(packed)[0])[0]
    states = run_recurrence(recurrence, values, lengths) * valid
    torch.testing.assert_close(states, expected)
    inputs = [values, *recurrence.parameters()]
    weights = torch.rand_like(expected)
    gradients = torch.autograd.grad((states * weights).sum(), inputs)
    oracle = torch.autograd.grad((expected * weights).sum(), inputs)
    torch.testing.assert_close(gradients, oracle)


def test_cost_of_a_gradient_grows_with_the_length_and_not_its_square() -> None:
    """Eight times the steps: about eight times the time (64 times with packed sequences)."""
    recurrence = nn.GRU(8, 64, num_layers=2, bidirectional=True)

    def seconds(steps: int) -> float:
        values = torch.rand(steps, 4, 8)
        lengths = torch.tensor([steps, steps - 1, steps - 2, steps - 3])
        best = math.inf
        for _ in range(3):
            start = time.thread_time()
            run_recurrence(recurrence, values, lengths).sum().backward()
            best = min(best, time.thread_time() - start)
        return best

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        seconds(64)
        assert seconds(2048) < 20 * seconds(256)
    finally:
        torch.set_num_threads(threads)


def conv_by_definition(net: ConvDHN, distances: Tensor) -> Tensor:
    """Logits ``(N, M)`` of one matrix by Fig. 7, written out."""

    def doubled(x: Tensor, like: Tensor) -> Tensor:
        return x[:, :, torch.arange(like.shape[-1]) // 2]

    def halved(x: Tensor) -> Tensor:
        return torch.stack([part.amax(-1) for part in x.split(2, dim=-1)], dim=-1)

    sequence = torch.where(distances > 1, net.forbidden_value, distances).reshape(1, 1, -1)
    one = net.down1(sequence).relu()
    two = net.down2(halved(one)).relu()
    three = net.bottom(halved(two)).relu()
    up = net.up2(torch.cat((doubled(three, two), two), dim=1)).relu()
    up = net.up1(torch.cat((doubled(up, one), one), dim=1)).relu()
    return net.last(up).view(distances.shape)


def test_convolutional_net_follows_the_definition() -> None:
    net = ConvDHN().double()
    matrices = of_many_sizes(torch.float64)
    distances, rows, columns = padded(matrices)
    logits = net.logits(distances, rows, columns)
    for index, matrix in enumerate(matrices):
        if matrix.numel():
            inner = logits[index, : matrix.shape[0], : matrix.shape[1]]
            torch.testing.assert_close(inner, conv_by_definition(net, matrix))


def test_convolutional_net_has_the_figures_kernels() -> None:
    net = ConvDHN()
    shapes = [tuple(p.shape) for name, p in net.named_parameters() if name.endswith("weight")]
    assert shapes == [(24, 1, 15), (48, 24, 15), (48, 48, 15), (48, 96, 5), (24, 72, 5), (1, 24, 1)]


def test_convolutional_net_sees_only_near_entries() -> None:
    distances = torch.rand(1, 400, requires_grad=True)
    ConvDHN().logits(distances)[0, 200].backward()
    assert distances.grad is not None
    seen = distances.grad.nonzero()[:, 1]
    assert 20 < len(seen) < 150 and (seen - 200).abs().max() < 80


def test_convolutional_net_gradcheck() -> None:
    net = ConvDHN(channels=(3, 4)).double()
    distances, rows, columns = padded([torch.rand(2, 2), torch.rand(3, 1)], 0.0)
    distances = distances.double().requires_grad_()
    assert torch.autograd.gradcheck(lambda d: net.logits(d, rows, columns), distances)


def test_even_kernel_is_refused() -> None:
    with pytest.raises(InputError, match=r"expected kernels of odd sizes, got \(4, 5\)"):
        ConvDHN(kernels=(4, 5))

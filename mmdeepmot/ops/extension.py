"""The functions of ``mmcv._ext`` with the arguments that ``mmcv.ops`` passes.

Results are written in place, into the tensors that mmcv passes for them. Half precision is
computed in float32 and rounded once. Gradients are those of the differentiable functions in
:mod:`mmdeepmot.ops.implementations`, one image at a time for the convolutions, so that the
memory for their columns does not grow with the batch.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import NoReturn, ParamSpec, TypeVar

import torch
from torch import Tensor

from mmdeepmot.ops.implementations import operators_for
from mmdeepmot.ops.roi_align import roi_align_max, roi_align_max_backward
from mmdeepmot.ops.selection import announce

__all__ = [
    "deform_conv_backward_input",
    "deform_conv_backward_parameters",
    "deform_conv_forward",
    "get_compiler_version",
    "get_compiling_cuda_version",
    "modulated_deform_conv_backward",
    "modulated_deform_conv_forward",
    "nms",
    "roi_align_backward",
    "roi_align_forward",
]

_AVERAGE = 1
"""mmcv's number for average pooling in RoIAlign; 0 is maximum pooling."""

P = ParamSpec("P")
R = TypeVar("R")


def unsupported(name: str) -> Callable[..., NoReturn]:
    """Stand for an operator that is not here (the ``__getattr__`` of ``mmcv._ext``).

    Raises:
        AttributeError: For dunder names, which modules are asked for by Python's own tools.
    """
    if name.startswith("__"):
        raise AttributeError(f"module 'mmcv._ext' has no attribute {name!r}")

    def operator(*args: object, **kwargs: object) -> NoReturn:
        raise NotImplementedError(
            f"mmcv's operator {name!r} needs mmcv's compiled extension, which is not installed: "
            "mmdeepmot stands in for it with nms, roi_align and the deformable convolutions only. "
            "With a C++ compiler (and, for GPUs, the CUDA toolkit of your torch) compile it, in "
            "about ten minutes: pip install --no-build-isolation --no-cache-dir --no-deps "
            "--force-reinstall --no-binary onedl-mmcv onedl-mmcv"
        )

    operator.__name__ = operator.__qualname__ = name
    return operator


def _operator(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function behave as a compiled operator does.

    It is opaque to ``torch.compile``, untouched by autocast, and the first one that is called
    writes to the log which implementation is in use.
    """

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        announce()
        device = next(arg.device.type for arg in args if isinstance(arg, Tensor))
        with torch.autocast(device, enabled=False):
            return function(*args, **kwargs)

    return torch.compiler.disable(wrapper)


def get_compiler_version() -> str:
    """What ``mmcv.utils.collect_env`` reports as mmcv's compiler."""
    return "none (mmdeepmot.ops)"


def get_compiling_cuda_version() -> str:
    """What ``mmcv.utils.collect_env`` reports as the CUDA that mmcv was compiled with."""
    return "none (mmdeepmot.ops)"


@_operator
def nms(bboxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Indices (K,) of the boxes (N, 4) xyxy that stay, by descending score."""
    return operators_for(bboxes.device).nms(_wide(bboxes), _wide(scores), iou_threshold, offset)


@_operator
def roi_align_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Write RoIAlign of ``input`` (N, C, H, W) at ``rois`` (R, 5) into ``output``.

    For maximum pooling, also where the maxima were found into ``argmax_y`` and ``argmax_x``.
    """
    size = (aligned_height, aligned_width)
    features, rois = _wide(input), _wide(rois)
    if pool_mode == _AVERAGE:
        align = operators_for(input.device).roi_align
        output.copy_(align(features, rois, size, spatial_scale, sampling_ratio, aligned))
    else:
        results = roi_align_max(features, rois, size, spatial_scale, sampling_ratio, aligned)
        for target, result in zip((output, argmax_y, argmax_x), results, strict=True):
            target.copy_(result)


@_operator
def roi_align_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    grad_input: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Add the gradient with respect to the features to ``grad_input`` (N, C, H, W)."""
    size = (aligned_height, aligned_width)
    grad_output, rois = _wide(grad_output), _wide(rois)
    if pool_mode == _AVERAGE:
        align = operators_for(grad_input.device).roi_align
        # RoIAlign is linear in the features: its gradient is the same at any of them.
        (grad,) = _gradients(
            lambda features: align(features, rois, size, spatial_scale, sampling_ratio, aligned),
            [torch.zeros_like(grad_input, dtype=grad_output.dtype)],
            grad_output,
        )
    else:
        grad = roi_align_max_backward(
            grad_output, rois, _wide(argmax_y), _wide(argmax_x), grad_input.shape
        )
    grad_input.add_(grad)


@_operator
def modulated_deform_conv_forward(
    input: Tensor,
    weight: Tensor,
    bias: Tensor,
    ones: Tensor,
    offset: Tensor,
    mask: Tensor,
    output: Tensor,
    columns: Tensor,
    kernel_h: int,
    kernel_w: int,
    stride_h: int,
    stride_w: int,
    pad_h: int,
    pad_w: int,
    dilation_h: int,
    dilation_w: int,
    group: int,
    deformable_group: int,
    with_bias: bool,
) -> None:
    """Write the modulated deformable convolution (DCNv2) into ``output`` (N, O, h, w).

    ``ones`` and ``columns`` are buffers of the compiled operator; neither is used here.
    """
    convolve = _convolution(
        input.device,
        stride=(stride_h, stride_w),
        padding=(pad_h, pad_w),
        dilation=(dilation_h, dilation_w),
        deform_groups=deformable_group,
    )
    _write_output(convolve, (input, offset, weight, mask, bias if with_bias else None), output)


@_operator
def modulated_deform_conv_backward(
    input: Tensor,
    weight: Tensor,
    bias: Tensor,
    ones: Tensor,
    offset: Tensor,
    mask: Tensor,
    columns: Tensor,
    grad_input: Tensor,
    grad_weight: Tensor,
    grad_bias: Tensor,
    grad_offset: Tensor,
    grad_mask: Tensor,
    grad_output: Tensor,
    kernel_h: int,
    kernel_w: int,
    stride_h: int,
    stride_w: int,
    pad_h: int,
    pad_w: int,
    dilation_h: int,
    dilation_w: int,
    group: int,
    deformable_group: int,
    with_bias: bool,
) -> None:
    """Add the gradients of DCNv2 to the five ``grad_`` tensors of its inputs."""
    convolve = _convolution(
        input.device,
        stride=(stride_h, stride_w),
        padding=(pad_h, pad_w),
        dilation=(dilation_h, dilation_w),
        deform_groups=deformable_group,
    )
    _add_gradients(
        convolve,
        (input, offset, weight, mask, bias if with_bias else None),
        (grad_input, grad_offset, grad_weight, grad_mask, grad_bias if with_bias else None),
        grad_output,
    )


@_operator
def deform_conv_forward(
    input: Tensor,
    weight: Tensor,
    offset: Tensor,
    output: Tensor,
    columns: Tensor,
    ones: Tensor,
    kW: int,
    kH: int,
    dW: int,
    dH: int,
    padW: int,
    padH: int,
    dilationW: int,
    dilationH: int,
    group: int,
    deformable_group: int,
    im2col_step: int,
) -> None:
    """Write the deformable convolution (DCNv1) into ``output`` (N, O, h, w)."""
    convolve = _convolution(
        input.device,
        stride=(dH, dW),
        padding=(padH, padW),
        dilation=(dilationH, dilationW),
        deform_groups=deformable_group,
    )
    _write_output(convolve, (input, offset, weight, None, None), output)


@_operator
def deform_conv_backward_input(
    input: Tensor,
    offset: Tensor,
    grad_output: Tensor,
    grad_input: Tensor,
    grad_offset: Tensor,
    weight: Tensor,
    columns: Tensor,
    kW: int,
    kH: int,
    dW: int,
    dH: int,
    padW: int,
    padH: int,
    dilationW: int,
    dilationH: int,
    group: int,
    deformable_group: int,
    im2col_step: int,
) -> None:
    """Add the gradients of DCNv1 to ``grad_input`` and ``grad_offset``."""
    convolve = _convolution(
        input.device,
        stride=(dH, dW),
        padding=(padH, padW),
        dilation=(dilationH, dilationW),
        deform_groups=deformable_group,
    )
    _add_gradients(
        convolve,
        (input, offset, weight, None, None),
        (grad_input, grad_offset, None, None, None),
        grad_output,
    )


@_operator
def deform_conv_backward_parameters(
    input: Tensor,
    offset: Tensor,
    grad_output: Tensor,
    grad_weight: Tensor,
    columns: Tensor,
    ones: Tensor,
    kW: int,
    kH: int,
    dW: int,
    dH: int,
    padW: int,
    padH: int,
    dilationW: int,
    dilationH: int,
    group: int,
    deformable_group: int,
    scale: float,
    im2col_step: int,
) -> None:
    """Add ``scale`` times the gradient of DCNv1 to ``grad_weight`` (O, C / group, kh, kw)."""
    convolve = _convolution(
        input.device,
        stride=(dH, dW),
        padding=(padH, padW),
        dilation=(dilationH, dilationW),
        deform_groups=deformable_group,
    )
    weight = torch.zeros_like(grad_weight)  # at any weight: the operator is linear in it
    _add_gradients(
        convolve,
        (input, offset, weight, None, None),
        (None, None, grad_weight, None, None),
        grad_output * scale,
    )


_Convolution = Callable[..., Tensor]
_Tensors = tuple[Tensor | None, Tensor | None, Tensor | None, Tensor | None, Tensor | None]
"""Of a deformable convolution: input, offset, weight, mask, bias; None where there is none."""

_ONE_PER_IMAGE = (True, True, False, True, False)


def _convolution(
    device: torch.device,
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    deform_groups: int,
) -> _Convolution:
    """Deformable convolution of these settings as a function of ``_Tensors``."""
    return functools.partial(
        operators_for(device).deform_conv2d,
        stride=stride,
        padding=padding,
        dilation=dilation,
        deform_groups=deform_groups,
    )


def _write_output(convolve: _Convolution, tensors: _Tensors, output: Tensor) -> None:
    """Write the convolution into ``output``, image by image."""
    for image in _images(output):
        output[image] = convolve(*_of_image(tensors, image))


def _add_gradients(
    convolve: _Convolution, tensors: _Tensors, targets: _Tensors, grad_output: Tensor
) -> None:
    """Add the gradients to those targets that are not None, image by image."""
    wanted = [place for place, target in enumerate(targets) if target is not None]
    for image in _images(grad_output):
        parts = _of_image(tensors, image)

        def function(*leaves: Tensor, parts: list[Tensor | None] = parts) -> Tensor:
            replaced = dict(zip(wanted, leaves, strict=True))
            return convolve(*(replaced.get(place, part) for place, part in enumerate(parts)))

        leaves = [part for place in wanted if (part := parts[place]) is not None]
        gradients = _gradients(function, leaves, _wide(grad_output[image]))
        for place, gradient in zip(wanted, gradients, strict=True):
            target = targets[place]
            if target is not None:
                (target[image] if _ONE_PER_IMAGE[place] else target).add_(gradient)


def _images(batch: Tensor) -> Iterator[slice]:
    """Slices that take one image after another."""
    return (slice(image, image + 1) for image in range(len(batch)))


def _of_image(tensors: _Tensors, image: slice) -> list[Tensor | None]:
    """The tensors of one image, in float32 or wider."""
    return [
        None if tensor is None else _wide(tensor[image] if one_per_image else tensor)
        for tensor, one_per_image in zip(tensors, _ONE_PER_IMAGE, strict=True)
    ]


def _gradients(
    function: Callable[..., Tensor], inputs: Sequence[Tensor], grad_output: Tensor
) -> tuple[Tensor, ...]:
    """Gradients of a differentiable function with respect to its inputs."""
    with torch.enable_grad():
        leaves = [tensor.detach().requires_grad_() for tensor in inputs]
        return torch.autograd.grad(function(*leaves), leaves, grad_output)


def _wide(tensor: Tensor) -> Tensor:
    """The tensor in float32 if it is in half precision, else as it is."""
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor

"""Focal loss of soft assignments: how matchers are trained.

Paper: Xu et al., "How To Train Your Deep Multi-Object Tracker", CVPR 2020, Sec. 5.1 and Appendix
A.1: binary classification of every entry of the assignment matrix by the focal loss (Lin et al.,
ICCV 2017) with exponent 2; zeros weigh ``w0 = n1 / (n0 + n1)`` and ones ``w1 = 1 - w0``, where the
optimal assignment of the matrix has n0 zeros and n1 ones. A class that is alone in its matrix
weighs 1: by the formula such a matrix would teach nothing.

``balance`` tempers these weights. With the paper's, a zero of a 30 x 100 matrix weighs a hundredth
of a one, so that whatever might be matched is called matched, and columns that have no partner get
one; with the square root of the ratio (0.5) a net that is trained briefly has as good a WA, and
about two thirds of the several assignments.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmdeepmot.errors import InputError
from mmdeepmot.registry import MODELS

_TINY = 1e-12


def class_weights(optimal: Tensor, valid: Tensor, balance: float = 1.0) -> tuple[Tensor, Tensor]:
    """Weights w0 of the zeros and w1 of the ones of each matrix.

    Args:
        optimal: ``(B, N, M)`` bool.
        valid: ``(B, N, M)`` bool, entries that count.
        balance: ``w0 / w1 = (n1 / n0) ** balance``; 1: the paper's, 0: equal weights.

    Returns:
        ``(B,)`` each, ``w0 + w1 = 1``; a class that is alone has 1.
    """
    total = valid.sum(dim=(1, 2))
    ones = (optimal & valid).sum(dim=(1, 2))
    zero = ones / total.clamp_min(1)
    zero = torch.where(ones == 0, 1.0, zero)
    zero = torch.where((ones == total) & (total > 0), 0.0, zero)
    if balance != 1:
        tempered = zero**balance
        zero = tempered / (tempered + (1 - zero) ** balance)
    return zero, 1 - zero


def focal_assignment_loss(
    prediction: Tensor,
    optimal: Tensor,
    valid: Tensor | None = None,
    *,
    allowed: Tensor | None = None,
    gamma: float = 2.0,
    balance: float = 1.0,
    logits: bool = False,
) -> Tensor:
    """Weighted focal loss, the mean over the entries of each matrix, then over matrices.

    ``-w (1 - p)^gamma log p`` an entry, with p the probability given to what it truly is, and w
    the weight of that class (:func:`class_weights`).

    Args:
        prediction: ``(B, N, M)`` soft assignment in [0, 1], or logits of it.
        optimal: ``(B, N, M)`` bool.
        valid: ``(B, N, M)`` bool, entries that are no padding; None: all. They make up the mean and
            the weights.
        allowed: ``(B, N, M)`` bool, entries that can be matched at all; None: all. The others count
            as rightly 0, as matchers make them.
        gamma: Exponent; 0: weighted cross-entropy.
        balance: See :func:`class_weights`.
        logits: Whether ``prediction`` is logits, which keeps the gradient where the assignment
            rounds to 0 or 1.

    Returns:
        Scalar; matrices without valid entries are left out, 0 if there are no others.

    Raises:
        InputError: Shapes differ.
    """
    valid = torch.ones_like(optimal) if valid is None else valid
    counted = valid if allowed is None else valid & allowed
    for name, tensor in (("optimal", optimal), ("valid", valid), ("allowed", counted)):
        if tensor.shape != prediction.shape or tensor.dim() != 3:
            raise InputError(
                f"expected {name} (B, N, M) beside the prediction {tuple(prediction.shape)}, got "
                f"{tuple(tensor.shape)}"
            )
    prediction = prediction.float() if prediction.dtype.itemsize < 4 else prediction
    if logits:
        signed = torch.where(optimal, prediction, -prediction)
        log_right, wrong = F.logsigmoid(signed), (-signed).sigmoid()
    else:
        wrong = torch.where(optimal, 1 - prediction, prediction)
        log_right = (1 - wrong).clamp_min(_TINY).log()
    zero, one = class_weights(optimal, valid, balance)
    weight = torch.where(optimal, one[:, None, None], zero[:, None, None])
    loss = -(weight * wrong**gamma * log_right).masked_fill(~counted, 0)
    total = valid.sum(dim=(1, 2))
    means = loss.sum(dim=(1, 2)) / total.clamp_min(1)
    return means.sum() / (total > 0).sum().clamp_min(1)


@MODELS.register_module()
class FocalAssignmentLoss(nn.Module):
    """:func:`focal_assignment_loss` as a module.

    Args:
        gamma: Exponent of the focal loss.
        balance: See :func:`class_weights`.
        loss_weight: Factor of the loss.
    """

    def __init__(self, gamma: float = 2.0, balance: float = 1.0, loss_weight: float = 1.0) -> None:
        super().__init__()
        if gamma < 0 or not 0 <= balance <= 1:
            raise InputError(
                f"expected gamma >= 0 and balance in [0, 1], got {gamma} and {balance}"
            )
        self.gamma = gamma
        self.balance = balance
        self.loss_weight = loss_weight

    def forward(
        self,
        prediction: Tensor,
        optimal: Tensor,
        valid: Tensor | None = None,
        *,
        allowed: Tensor | None = None,
        logits: bool = False,
    ) -> Tensor:
        """See :func:`focal_assignment_loss`."""
        loss = focal_assignment_loss(
            prediction,
            optimal,
            valid,
            allowed=allowed,
            gamma=self.gamma,
            balance=self.balance,
            logits=logits,
        )
        return self.loss_weight * loss

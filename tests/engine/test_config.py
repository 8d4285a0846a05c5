"""What is misspelt in a config or an option is refused, and the nearest name suggested."""

import argparse

import pytest
import toy_project  # noqa: F401  (registers the toy classes)
from mmengine.config import Config

from mmdeepmot.engine.config import ConfigError, OptionAction, load_config
from mmdeepmot.engine.config_check import accepted_arguments, find_target
from mmdeepmot.engine.resolve import accumulation, check_evaluation, resolve_config


def child(toy_config, text):
    """A config on top of the toy one."""
    path = toy_config.with_name("child.py")
    path.write_text(f"_base_ = 'toy.py'\n{text}\n")
    return path


def test_a_good_config_loads_with_options(toy_config):
    options = {"optim_wrapper.optimizer.lr": 0.5, "param_scheduler.0.end": 3, "work_dir": "w"}
    options["model.dropout"] = 0.0  # an argument that the config does not give
    cfg = load_config(toy_config, options)
    assert cfg.optim_wrapper.optimizer.lr == 0.5 and cfg.param_scheduler[0].end == 3
    assert cfg.model.dropout == 0.0 and cfg.work_dir == "w"


MISSPELT = {
    "top-level key": (
        "train_dataloder = dict(batch_size=3)",
        r"child\.py:2: unknown key 'train_dataloder' \(did you mean 'train_dataloader'\?\)",
    ),
    "type": (
        "model = dict(head=dict(type='ToyHed'))",
        r"child\.py:2: model\.head: unknown type 'ToyHed' among the models \(did you mean "
        r"'ToyHead'\?\)",
    ),
    "type of a dataset": (
        "train_dataloader = dict(dataset=dict(type='ToyDatset'))",
        r"train_dataloader\.dataset: unknown type 'ToyDatset' among the datasets .*'ToyDataset'",
    ),
    "type of a sampler": (
        "train_dataloader = dict(sampler=dict(type='ResumeableSampler'))",
        r"unknown type 'ResumeableSampler' among the data samplers .*'ResumableSampler'",
    ),
    "type of a hook": (
        "custom_hooks = [dict(type='EMAHok')]",
        r"child\.py:2: custom_hooks\.0: unknown type 'EMAHok' among the hooks .*'EMAHook'",
    ),
    "type of a schedule": (
        "param_scheduler = [dict(type='MultistepLR', milestones=[1])]",
        r"param_scheduler\.0: unknown type 'MultistepLR' .*'MultiStepLR'",
    ),
    "type of a loop": (
        "train_cfg = dict(type='EpochTrainLop')",
        r"train_cfg: unknown type 'EpochTrainLop' among the loops .*'EpochTrainLoop'",
    ),
    "argument": (
        "\nmodel = dict(\n    head=dict(witdh=2))",
        r"child\.py:4: model\.head: ToyHead has no argument 'witdh' \(did you mean 'width'\?\); it "
        r"takes channels, num_ids, width",
    ),
    "argument of the optimizer": (
        "optim_wrapper = dict(optimizer=dict(momentun=0.9))",
        r"optim_wrapper\.optimizer: SGD has no argument 'momentun' .*'momentum'",
    ),
    "argument of a wrapper that passes others on": (
        "optim_wrapper = dict(acumulative_counts=2)",
        r"OptimWrapper has no argument 'acumulative_counts' .*'accumulative_counts'",
    ),
    "argument of a hook": (
        "default_hooks = dict(checkpoint=dict(max_keep_ckpt=2))",
        r"checkpoint: CheckpointHook has no argument 'max_keep_ckpt' .*'max_keep_ckpts'",
    ),
    "argument of the loop": (
        "train_cfg = dict(max_epoch=2)",
        r"train_cfg: EpochTrainLoop has no argument 'max_epoch' .*'max_epochs'",
    ),
    "argument of a data loader": (
        "train_dataloader = dict(batchsize=4)",
        r"child\.py:2: train_dataloader: DataLoader has no argument 'batchsize' .*'batch_size'",
    ),
    "randomness": (
        "randomness = dict(sead=2)",
        r"randomness: set_randomness has no argument 'sead' .*'seed'",
    ),
}


@pytest.mark.parametrize("what", MISSPELT)
def test_misspelt(what, toy_config):
    text, message = MISSPELT[what]
    with pytest.raises(ConfigError, match=message):
        load_config(child(toy_config, text))


def test_helper_variables_and_what_callers_take_are_fine(toy_config):
    load_config(
        child(
            toy_config,
            "img_scale = (576, 320)\nbackbones = dict(type='nothing')\n"
            "custom_hooks = [dict(type='EMAHook', momentum=0.1, priority='LOW')]\n"
            "optim_wrapper = dict(constructor='DefaultOptimWrapperConstructor',\n"
            "    paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=0.1))))\n"
            "param_scheduler = [dict(type='LinearLR', end=1, convert_to_iter_based=True)]\n",
        )
    )


OPTIONS = {
    "model.hed.width": r"ToyModel has no argument 'hed' \(did you mean 'head'\?\)",
    "modle.head": r"no key 'modle' in the config \(did you mean 'model'\?\)",
    "model.head.witdh": r"ToyHead has no argument 'witdh' \(did you mean 'width'\?\)",
    "train_dataloader.batchsize": r"DataLoader has no argument 'batchsize' .*'batch_size'",
    "env_cfg.cudnn_benchmrk": r"no key 'cudnn_benchmrk' in 'env_cfg' .*'cudnn_benchmark'",
    "param_scheduler.2.end": r"'param_scheduler' is a list of 2; expected an index from 0 to 1",
    "train_cfg.max_epochs.x": r"'train_cfg.max_epochs' is 3, which has no keys",
    "optim_wrapper.optimizer.learning_rate": r"SGD has no argument 'learning_rate'",
}


@pytest.mark.parametrize("option", OPTIONS)
def test_misspelt_option(option, toy_config):
    with pytest.raises(ConfigError, match=f"--cfg-options {option}: .*{OPTIONS[option]}"):
        load_config(toy_config, {option: 1})


def test_an_option_that_sets_a_helper_variable_says_what_to_set(toy_config):
    path = child(toy_config, "length = 7\ntrain_dataloader = dict(dataset=dict(length=length))")
    with pytest.raises(ConfigError, match=r"no effect\. Set .*train_dataloader\.dataset\.length"):
        load_config(path, {"length": 9})


def test_new_names_are_free_where_names_are_free(toy_config):
    path = child(toy_config, "optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict()))")
    option = {"optim_wrapper.paramwise_cfg.custom_keys.head.lr_mult": 0.1}
    cfg = load_config(path, option)
    assert cfg.optim_wrapper.paramwise_cfg.custom_keys.head.lr_mult == 0.1
    cfg = load_config(toy_config, {"default_hooks.ema.type": "EMAHook"})
    assert cfg.default_hooks.ema.type == "EMAHook"
    with pytest.raises(ConfigError, match=r"default_hooks\.ema: unknown type 'EMAHok'"):
        load_config(toy_config, {"default_hooks.ema.type": "EMAHok"})


def test_errors_while_reading_name_file_and_line(toy_config):
    with pytest.raises(ConfigError, match=r"child\.py:3: .*closed.*model = dict\("):
        load_config(child(toy_config, "a = 1\nmodel = dict("))
    with pytest.raises(ConfigError, match=r"child\.py:3: NameError: name 'lr' is not defined"):
        load_config(child(toy_config, "a = 1\nb = lr"))
    text = toy_config.read_text()
    toy_config.write_text(text + "\nb = lr\n")  # in a base
    line = len(text.splitlines()) + 2
    with pytest.raises(ConfigError, match=rf"toy\.py:{line}: NameError"):
        load_config(child(toy_config, "a = 1"))
    toy_config.write_text("a = (\n")
    with pytest.raises(ConfigError, match=r"toy\.py:1: .*closed"):
        load_config(child(toy_config, "a = 1"))
    toy_config.unlink()
    with pytest.raises(ConfigError, match=r"child\.py:1: _base_: config .*toy\.py does not exist"):
        load_config(child(toy_config, "a = 1"))


def test_a_missing_file_suggests_its_neighbour(toy_config):
    with pytest.raises(FileNotFoundError, match=r"toi\.py does not exist; did you mean .*toy\.py"):
        load_config(toy_config.with_name("toi.py"))


def test_option_syntax(capsys):
    parser = argparse.ArgumentParser()
    parser.add_argument("--cfg-options", nargs="+", action=OptionAction)
    values = ["a=1", "b=0.5", "c=True", "d=None", "e=[1,2]", "f=(1,2)", "g=/my data/x", "h=a=b"]
    parsed = parser.parse_args(["--cfg-options", *values, "--cfg-options", "i='x'"]).cfg_options
    assert parsed == dict(
        a=1, b=0.5, c=True, d=None, e=[1, 2], f=(1, 2), g="/my data/x", h="a=b", i="x"
    )
    with pytest.raises(SystemExit):
        parser.parse_args(["--cfg-options", "lr"])
    assert "--cfg-options: expected KEY=VALUE, got 'lr'" in capsys.readouterr().err


def test_arguments_along_the_bases():
    class Base:
        def __init__(self, a, b=1):
            pass

    class Middle(Base):
        def __init__(self, c=2, **kwargs):
            pass

    class Leaf(Middle):
        pass

    assert accepted_arguments(Base) == (frozenset("ab"), False)
    assert accepted_arguments(Leaf) == (frozenset("abc"), True)


def test_num_ids_come_from_the_training_data(toy_config):
    cfg = resolve_config(load_config(toy_config))
    assert cfg.model.head.num_ids == 4
    cfg = load_config(toy_config, {"model.head.num_ids": 9})
    assert resolve_config(cfg).model.head.num_ids == 9
    cfg = load_config(toy_config)
    with pytest.raises(ConfigError, match=r"model\.head\.num_ids=None means.*but list has none"):
        resolve_config(cfg, dataset=[1])


def test_effective_batch_size(toy_config, caplog):
    assert [accumulation(32, 4, world) for world in (1, 2, 8, 16)] == [8, 4, 1, 1]
    assert accumulation(32, 4, 3) == 3  # 36 images, nearer to 32 than 24
    cfg = load_config(child(toy_config, "effective_batch_size = 8"))
    assert resolve_config(cfg, world_size=2).optim_wrapper.accumulative_counts == 2


def test_pairs_need_an_even_batch(toy_config):
    options = {
        "train_dataloader.sampler.type": "FramePairSampler",
        "train_dataloader.batch_size": 3,
    }
    with pytest.raises(ConfigError, match=r"FramePairSampler needs an even batch size.*got 3"):
        resolve_config(load_config(toy_config, options))


def test_missing_evaluator_is_found_at_once(toy_config):
    cfg = load_config(toy_config)
    with pytest.raises(ConfigError, match=r"toy\.py: no test_dataloader"):
        check_evaluation(cfg)
    cfg.test_dataloader = Config(dict(batch_size=1))
    with pytest.raises(ConfigError, match="no test_evaluator; expected one to test with"):
        check_evaluation(cfg)
    cfg.test_evaluator = dict(type="ToyMetric")
    check_evaluation(cfg)


def test_parts_that_mmdet_looks_up_in_mmcv():
    assert find_target(["model", "roi_layer"], {"type": "RoIAlign"})[0].__name__ == "RoIAlign"
    assert find_target(["model", "test_cfg", "nms"], {"type": "nms"})[0].__name__ == "nms"
    assert "unknown type 'RoIAlgn'" in find_target(["model", "roi_layer"], {"type": "RoIAlgn"})[1]

# SPDX-License-Identifier: Apache-2.0
"""The three networks. Small, yet between them they hold one of each thing that a compiler for such networks has to handle well."""
import torch
import torch.nn as nn
import torch.nn.functional as F


def conv(cin, cout, kernel, stride=1, groups=1):
    """Convolution and batch normalisation; the convolution needs no bias, since normalisation would only remove it."""
    return nn.Sequential(nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(cout))


class Block(nn.Module):
    """Depthwise, then pointwise, and around both a shortcut."""

    def __init__(self, width, kernel=3):
        super().__init__()
        self.depthwise, self.pointwise = conv(width, width, kernel, groups=width), conv(width, width, 1)

    def forward(self, x):
        return F.relu(x + self.pointwise(F.relu(self.depthwise(x))))


class Trunk(nn.Module):
    """Halves the picture once for each width; returns what it sees at each scale."""

    def __init__(self, widths, depths):
        super().__init__()
        self.stages = nn.ModuleList()
        for cin, cout, depth in zip((3,) + widths, widths, depths):
            self.stages.append(nn.Sequential(conv(cin, cout, 3, 2), nn.ReLU(), *[Block(cout) for _ in range(depth)]))

    def forward(self, x):
        seen = []
        for stage in self.stages:
            x = stage(x)
            seen.append(x)
        return seen


class Classify(nn.Module):
    """[N,3,96,96] -> logits [N,classes]."""

    def __init__(self, classes):
        super().__init__()
        self.trunk = Trunk((16, 32, 64, 96), (0, 1, 1, 2))
        self.head = nn.Linear(96, classes)

    def forward(self, x):
        return self.head(F.adaptive_avg_pool2d(self.trunk(x)[-1], 1).flatten(1))


class Detect(nn.Module):
    """[N,3,256,256] -> [N,1344,5+classes]: YOLOX's rows, but with logits for objectness and classes."""
    strides = (8, 16, 32)

    def __init__(self, classes, width=64):
        super().__init__()
        self.trunk = Trunk((12, 24, 48, 96, 128), (0, 1, 2, 2, 2))
        self.lateral = nn.ModuleList([conv(c, width, 1) for c in (48, 96, 128)])
        self.fuse = nn.ModuleList([Block(width), Block(width)])
        self.heads = nn.ModuleList([nn.Sequential(Block(width, 5), Block(width, 5), nn.Conv2d(width, 5 + classes, 1)) for _ in self.strides])
        for head in self.heads:
            nn.init.constant_(head[-1].bias[4:], -4)  # nearly every cell is empty: begin by saying so

    def forward(self, x):
        fine, middle, coarse = [F.relu(side(seen)) for side, seen in zip(self.lateral, self.trunk(x)[2:])]
        middle = self.fuse[1](middle + F.interpolate(coarse, scale_factor=2))
        fine = self.fuse[0](fine + F.interpolate(middle, scale_factor=2))
        rows = [head(level).flatten(2) for head, level in zip(self.heads, (fine, middle, coarse))]
        return torch.cat(rows, 2).transpose(1, 2)


def twice(x):
    return F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=False)


class Segment(nn.Module):
    """[N,3,192,192] -> logits [N,classes,192,192]."""

    def __init__(self, classes):
        super().__init__()
        widths = (16, 32, 64, 96, 96)
        self.trunk = Trunk(widths, (0, 1, 2, 2, 2))
        self.up = nn.ModuleList([conv(deep, wide, 1) for wide, deep in zip(widths, widths[1:])])
        self.mix = nn.ModuleList([Block(wide) for wide in widths[:-1]])
        self.head = nn.Conv2d(widths[0], classes, 3, padding=1)

    def forward(self, x):
        *skips, x = self.trunk(x)
        for up, mix, skip in reversed(list(zip(self.up, self.mix, skips))):
            x = mix(F.relu(skip + twice(up(x))))
        return twice(self.head(x))


class Rows(nn.Module):
    """What is exported of Detect: objectness and class scores as numbers between 0 and 1, boxes as they are."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        y = self.network(x)
        return torch.cat([y[..., :4], torch.sigmoid(y[..., 4:])], 2)

"""Scores an image by how much nearer its feature lies to the mean of a class's training images than to the mean of the others."""
import tailmark_method as tm


class NearestMean(tm.Method):
    def fit(self, train, validation):
        rows, labels = train.inputs.rows(), train.labels.rows()
        known = train.known.rows() if train.known else [[1] * len(labels[0])] * len(labels)
        classes, width, shrink = len(self.problem["class_names"]), len(rows[0]), self.options["shrinkage"]
        self.direction, self.offset = [], []
        for c in range(classes):
            sums, counts = [[0.0] * width, [0.0] * width], [0, 0]
            for row, truth, seen in zip(rows, labels, known):
                if seen[c]:
                    side = 1 if truth[c] else 0
                    counts[side] += 1
                    sums[side] = [a + b for a, b in zip(sums[side], row)]
            overall = [(a + b) / max(1, sum(counts)) for a, b in zip(*sums)]
            no, yes = ([(s + shrink * m) / max(count + shrink, 1e-12) for s, m in zip(total, overall)]
                       for total, count in zip(sums, counts))
            self.direction.append([2 * (a - b) for a, b in zip(yes, no)])
            self.offset.append(sum(b * b for b in no) - sum(a * a for a in yes))
        self.parameters = classes * (width + 1)

    def predict(self, batch):
        return [[sum(a * b for a, b in zip(row, direction)) + offset for direction, offset in zip(self.direction, self.offset)]
                for row in batch.inputs.rows()]

    def state(self):
        return {"direction": self.direction, "offset": self.offset}

    def load(self, state):
        self.direction, self.offset = state["direction"].rows(), list(state["offset"].memory)


tm.main(NearestMean)

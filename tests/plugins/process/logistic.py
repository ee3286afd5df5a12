"""One logistic regression a class on frozen features, by scikit-learn."""
import numpy
import tailmark_method as tm
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier


class Logistic(tm.Method):
    def fit(self, train, validation):
        x, y = train.inputs.numpy().astype("float64"), train.labels.numpy().astype(int)
        self.mean, deviation = x.mean(0), x.std(0)
        self.scale = numpy.where(deviation > 1e-8, 1 / numpy.maximum(deviation, 1e-8), 0)
        if not self.options["standardise"]:
            self.mean, self.scale = numpy.zeros_like(self.mean), numpy.ones_like(self.scale)
        # A class that is in all or none of the images needs no regression: its score is the same for all.
        varies = numpy.flatnonzero((y.min(0) == 0) & (y.max(0) == 1))
        self.weight, self.bias = numpy.zeros((y.shape[1], x.shape[1])), numpy.zeros(y.shape[1])
        if len(varies):
            one = LogisticRegression(C=self.options["C"], max_iter=self.options["iterations"])
            found = OneVsRestClassifier(one).fit((x - self.mean) * self.scale, y[:, varies])
            for c, each in zip(varies, found.estimators_):
                self.weight[c], self.bias[c] = each.coef_[0], each.intercept_[0]
        self.parameters = self.weight.size + self.bias.size

    def predict(self, batch):
        return (batch.inputs.numpy() - self.mean) * self.scale @ self.weight.T + self.bias

    def state(self):
        return {"weight": self.weight, "bias": self.bias, "mean": self.mean, "scale": self.scale}

    def load(self, state):
        self.weight, self.bias = state["weight"].numpy(), state["bias"].numpy()
        self.mean, self.scale = state["mean"].numpy(), state["scale"].numpy()


tm.main(Logistic)

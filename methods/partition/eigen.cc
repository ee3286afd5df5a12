#include <algorithm>
#include <cmath>
#include <numeric>

#include "methods/partition/spectral.h"

namespace tailmark {
namespace {

double OffDiagonal(const SquareMatrix& m) {
  double sum = 0;
  for (std::size_t i = 0; i < m.size; ++i) {
    for (std::size_t j = i + 1; j < m.size; ++j) sum += m.At(i, j) * m.At(i, j);
  }
  return sum;
}

// One rotation in the plane (p, q) that makes m[p, q] zero (Golub, Van Loan,
// Matrix Computations, 8.5).
void Rotate(SquareMatrix& m, SquareMatrix& vectors, std::size_t p,
            std::size_t q) {
  const double apq = m.At(p, q);
  if (apq == 0.0) return;
  const double tau = (m.At(q, q) - m.At(p, p)) / (2.0 * apq);
  const double t =
      (tau >= 0 ? 1.0 : -1.0) / (std::abs(tau) + std::sqrt(1.0 + tau * tau));
  const double c = 1.0 / std::sqrt(1.0 + t * t);
  const double s = t * c;
  for (std::size_t k = 0; k < m.size; ++k) {
    const double kp = m.At(k, p);
    const double kq = m.At(k, q);
    m.At(k, p) = c * kp - s * kq;
    m.At(k, q) = s * kp + c * kq;
  }
  for (std::size_t k = 0; k < m.size; ++k) {
    const double pk = m.At(p, k);
    const double qk = m.At(q, k);
    m.At(p, k) = c * pk - s * qk;
    m.At(q, k) = s * pk + c * qk;
  }
  for (std::size_t k = 0; k < m.size; ++k) {
    const double kp = vectors.At(k, p);
    const double kq = vectors.At(k, q);
    vectors.At(k, p) = c * kp - s * kq;
    vectors.At(k, q) = s * kp + c * kq;
  }
}

}  // namespace

Eigen SymmetricEigen(SquareMatrix matrix) {
  const std::size_t n = matrix.size;
  SquareMatrix vectors(n);
  for (std::size_t i = 0; i < n; ++i) vectors.At(i, i) = 1.0;
  constexpr int kMaxSweeps = 60;  // Some ten are enough for any real matrix.
  for (int sweep = 0; sweep < kMaxSweeps; ++sweep) {
    if (OffDiagonal(matrix) < 1e-28) break;
    for (std::size_t p = 0; p + 1 < n; ++p) {
      for (std::size_t q = p + 1; q < n; ++q) Rotate(matrix, vectors, p, q);
    }
  }
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) {
                     return matrix.At(a, a) < matrix.At(b, b);
                   });
  Eigen out{.values = std::vector<double>(n), .vectors = SquareMatrix(n)};
  for (std::size_t k = 0; k < n; ++k) {
    out.values[k] = matrix.At(order[k], order[k]);
    for (std::size_t i = 0; i < n; ++i) {
      out.vectors.At(i, k) = vectors.At(i, order[k]);
    }
  }
  return out;
}

std::vector<double> Degrees(const SquareMatrix& edges) {
  std::vector<double> degrees(edges.size, 0.0);
  for (std::size_t i = 0; i < edges.size; ++i) {
    for (std::size_t j = 0; j < edges.size; ++j) {
      if (j != i) degrees[i] += edges.At(i, j);
    }
  }
  return degrees;
}

SquareMatrix NormalisedLaplacian(const SquareMatrix& edges) {
  const auto degrees = Degrees(edges);
  SquareMatrix out(edges.size);
  for (std::size_t i = 0; i < edges.size; ++i) {
    if (degrees[i] <= 0) continue;
    for (std::size_t j = 0; j < edges.size; ++j) {
      if (i == j) {
        out.At(i, i) = 1.0;
      } else if (degrees[j] > 0) {
        out.At(i, j) = -edges.At(i, j) / std::sqrt(degrees[i] * degrees[j]);
      }
    }
  }
  return out;
}

}  // namespace tailmark

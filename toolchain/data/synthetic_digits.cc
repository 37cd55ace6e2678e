#include "zeropoint/toolchain/synthetic_digits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "data/boundary.h"
#include "data/digit_glyphs.h"
#include "zeropoint/toolchain/random.h"

// Only +, -, *, / and the square root, which IEEE 754 rounds correctly, are used on coordinates: images are
// then the same on every machine.

namespace zeropoint::toolchain {
namespace {

constexpr int kSide = 28;
constexpr std::size_t kPixels = std::size_t{kSide} * kSide;
constexpr int kPieces = 6;  // straight pieces of one curve between two points
constexpr double kBox = 20;

/// A straight piece of ink: round ends, of the radius `radius`, in pixels.
struct Piece {
  Point from;
  Point to;
  double radius;
};

/// The pen's way between `b` and `c`, coming from `a` and going to `d` (Catmull and Rom 1974), at t in [0,
/// 1].
Point curve(const Point& a, const Point& b, const Point& c, const Point& d, double t) {
  auto blend = [t](double p, double q, double r, double s) {
    return q + 0.5 * t * (r - p + t * (2 * p - 5 * q + 4 * r - s + t * (3 * (q - r) + s - p)));
  };
  return {blend(a.x, b.x, c.x, d.x), blend(a.y, b.y, c.y, d.y)};
}

/// One writer's hand on one day: all that deforms a glyph as a whole.
struct Hand {
  double wobble;         // of each point
  double cosine, sine;   // rotation
  double slant, aspect;  // x += slant y; x *= aspect
  std::array<double, 4> bend;

  explicit Hand(Random& random) {
    wobble = random.uniform(0.01, 0.045);
    double half = 0.5 * std::clamp(0.13 * random.normal(), -0.45, 0.45);  // tan(angle / 2)
    cosine = (1 - half * half) / (1 + half * half);
    sine = 2 * half / (1 + half * half);
    slant = std::clamp(-0.15 + 0.2 * random.normal(), -0.7, 0.5);
    aspect = random.uniform(0.55, 1.1);
    for (double& amount : bend) {
      amount = 0.16 * random.normal();
    }
  }

  [[nodiscard]] Point move(Point p) const {
    double x = p.x - 0.5;
    double y = p.y - 0.5;
    double bent_x = x + bend[0] * y * y + bend[1] * x * y;
    double bent_y = y + bend[2] * x * x + bend[3] * x * y;
    double slanted = aspect * bent_x + slant * bent_y;
    return {cosine * slanted - sine * bent_y, sine * slanted + cosine * bent_y};
  }
};

/// The glyph as this hand writes it this time, in strokes of short straight pieces.
std::vector<Stroke> write(const Glyph& glyph, Random& random) {
  Hand hand(random);
  std::vector<Stroke> result;
  for (const Stroke& stroke : glyph) {
    Stroke points;
    for (std::size_t i = 0; i < stroke.size(); ++i) {
      bool corner = i > 0 && stroke[i] == stroke[i - 1];
      points.push_back(corner ? points.back()
                              : Point{stroke[i].x + hand.wobble * random.normal(),
                                      stroke[i].y + hand.wobble * random.normal()});
    }
    Stroke path{hand.move(points[0])};
    for (std::size_t i = 0; i + 1 < points.size(); ++i) {
      if (points[i] == points[i + 1]) {
        continue;
      }
      const Point& before = points[i > 0 ? i - 1 : 0];
      const Point& after = points[std::min(i + 2, points.size() - 1)];
      for (int piece = 1; piece <= kPieces; ++piece) {
        path.push_back(hand.move(curve(before, points[i], points[i + 1], after, piece / double{kPieces})));
      }
    }
    result.push_back(std::move(path));
  }
  return result;
}

/// Scales the strokes to MNIST's box and puts the middle of their ink near the middle of the image.
std::vector<Piece> place(const std::vector<Stroke>& strokes, Random& random) {
  Point low = strokes[0][0];
  Point high = low;
  Point middle{0, 0};
  double length = 0;
  for (const Stroke& stroke : strokes) {
    for (std::size_t i = 0; i < stroke.size(); ++i) {
      low = {std::min(low.x, stroke[i].x), std::min(low.y, stroke[i].y)};
      high = {std::max(high.x, stroke[i].x), std::max(high.y, stroke[i].y)};
      if (i > 0) {
        double dx = stroke[i].x - stroke[i - 1].x;
        double dy = stroke[i].y - stroke[i - 1].y;
        double weight = std::sqrt(dx * dx + dy * dy);
        middle.x += weight * 0.5 * (stroke[i].x + stroke[i - 1].x);
        middle.y += weight * 0.5 * (stroke[i].y + stroke[i - 1].y);
        length += weight;
      }
    }
  }
  double radius = random.uniform(0.8, 2.1);
  double extent = std::max(high.x - low.x, high.y - low.y);
  double scale = (kBox * random.uniform(0.88, 1.02) - 2 * radius) / extent;
  double shift_x = 0.5 * kSide + random.uniform(-1.2, 1.2) - scale * middle.x / length;
  double shift_y = 0.5 * kSide + random.uniform(-1.2, 1.2) - scale * middle.y / length;
  double pressure = random.uniform(-0.3, 0.3);  // grows or fades along each stroke

  std::vector<Piece> pieces;
  for (const Stroke& stroke : strokes) {
    for (std::size_t i = 1; i < stroke.size(); ++i) {
      double along = static_cast<double>(i) / static_cast<double>(stroke.size()) - 0.5;
      pieces.push_back({{scale * stroke[i - 1].x + shift_x, scale * stroke[i - 1].y + shift_y},
                        {scale * stroke[i].x + shift_x, scale * stroke[i].y + shift_y},
                        radius * (1 + pressure * along)});
    }
  }
  return pieces;
}

/// How far inside the ink of `piece` the point (x, y) is, in pixels; negative outside.
double depth(const Piece& piece, double x, double y) {
  double dx = piece.to.x - piece.from.x;
  double dy = piece.to.y - piece.from.y;
  double px = x - piece.from.x;
  double py = y - piece.from.y;
  double square = dx * dx + dy * dy;
  double t = square > 0 ? std::clamp((px * dx + py * dy) / square, 0.0, 1.0) : 0.0;
  double ex = px - t * dx;
  double ey = py - t * dy;
  return piece.radius - std::sqrt(ex * ex + ey * ey);
}

void draw(const std::vector<Piece>& pieces, Random& random, std::span<std::uint8_t> pixels) {
  double softness = random.uniform(0.9, 1.6);  // pixels from black to full ink
  double ink = random.uniform(0.85, 1.0);
  double grain = random.uniform(0, 0.2);
  std::array<double, kPixels> coverage{};
  for (const Piece& piece : pieces) {
    double reach = piece.radius + 0.5 * softness;
    auto first = [&](double a, double b) { return std::max(0, static_cast<int>(std::min(a, b) - reach)); };
    auto last = [&](double a, double b) {
      return std::min(kSide - 1, static_cast<int>(std::max(a, b) + reach));
    };
    for (int row = first(piece.from.y, piece.to.y); row <= last(piece.from.y, piece.to.y); ++row) {
      for (int column = first(piece.from.x, piece.to.x); column <= last(piece.from.x, piece.to.x); ++column) {
        double& value = coverage[static_cast<std::size_t>(row) * kSide + static_cast<std::size_t>(column)];
        value = std::max(value, depth(piece, column + 0.5, row + 0.5) / softness + 0.5);
      }
    }
  }
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    double value = std::min(coverage[i], 1.0);
    if (value > 0) {
      value *= ink * (1 - grain * random.uniform());
    }
    pixels[i] = static_cast<std::uint8_t>(std::lround(255 * value));
  }
}

}  // namespace

Result<std::unique_ptr<Dataset>> make_synthetic_digits(std::int64_t count, std::uint64_t seed,
                                                       Transform transform) {
  if (count <= 0) {
    return Status::invalid_argument(fmt::format("cannot draw {} digits; at least 1 is needed", count));
  }
  return without_exceptions("synthetic digits", [&]() -> Result<std::unique_ptr<Dataset>> {
    std::size_t bytes = 0;
    if (__builtin_mul_overflow(static_cast<std::size_t>(count), kPixels, &bytes)) {
      throw std::bad_alloc();
    }
    ByteImages images;
    images.shape = {1, kSide, kSide};
    images.pixels.resize(bytes);
    images.labels.resize(static_cast<std::size_t>(count));
    images.class_names = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    images.description = fmt::format("synthetic digits, {} images, seed {}", count, seed);
    for (std::size_t i = 0; i < images.labels.size(); ++i) {
      Random random(seed, i);
      int digit = static_cast<int>(random.below(10));
      const std::vector<Glyph>& ways = glyphs_of(digit);
      images.labels[i] = digit;
      std::vector<Stroke> strokes = write(ways[random.below(ways.size())], random);
      draw(place(strokes, random), random, std::span(images.pixels).subspan(i * kPixels, kPixels));
    }
    return ImageDataset::make(std::move(images), std::move(transform));
  });
}

}  // namespace zeropoint::toolchain

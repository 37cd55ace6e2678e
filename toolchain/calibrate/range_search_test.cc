#include "calibrate/range_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "zeropoint/affine_tensor.h"

namespace zeropoint::toolchain {
namespace {

constexpr QuantizedType kUint8{8, false};

struct Sample {
  std::vector<float> values;
  Histogram histogram;
  RealRange seen;

  explicit Sample(std::vector<float> some) : values(std::move(some)) {
    histogram.add(values);
    auto [low, high] = std::minmax_element(values.begin(), values.end());
    seen = {*low, *high};
  }
};

enum class Shape { kNormal, kRectified, kLaplace, kUniform, kSkewed };
constexpr Shape kShapes[] = {Shape::kNormal, Shape::kRectified, Shape::kLaplace, Shape::kUniform,
                             Shape::kSkewed};

Sample drawn(Shape shape, std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::exponential_distribution<float> exponential;
  std::uniform_real_distribution<float> uniform(0, 1);
  std::vector<float> values(count);
  for (float& value : values) {
    switch (shape) {
      case Shape::kNormal:
        value = normal(random);
        break;
      case Shape::kRectified:
        value = std::max(0.0F, normal(random));
        break;
      case Shape::kLaplace:
        value = (random() % 2 == 0 ? 1.0F : -1.0F) * exponential(random);
        break;
      case Shape::kUniform:
        value = uniform(random);
        break;
      case Shape::kSkewed:  // as SiLU has it: a short negative side
        value = normal(random) * 3;
        value = value / (1 + std::exp(-value));
        break;
    }
  }
  return Sample(std::move(values));
}

/// D(P || Q) with both written out, bin by bin.
double divergence_in_full(const Sample& sample, QuantizedType type, int bins) {
  constexpr int kSide = Histogram::kSide;
  const Histogram& histogram = sample.histogram;
  auto threshold = static_cast<float>(bins * histogram.width());
  RealRange range{std::max(-threshold, std::min(sample.seen.r_min, 0.0F)),
                  std::min(threshold, std::max(sample.seen.r_max, 0.0F))};
  QuantParams params = *choose_params(range.r_min, range.r_max, type);
  QuantizedRange integers = *type.range();
  std::map<int, double> p;  // by bin
  std::map<int, double> inside;
  int first = Histogram::kBins;
  int last = 0;
  for (int i = 0; i < Histogram::kBins; ++i) {
    if (histogram.bins()[static_cast<std::size_t>(i)] > 0) {
      first = std::min(first, i);
      last = std::max(last, i);
    }
  }
  first = std::max(first, kSide - bins);
  last = std::min(last, kSide + bins - 1);
  double total = 0;
  double kept = 0;
  for (int i = 0; i < Histogram::kBins; ++i) {
    auto count = static_cast<double>(histogram.bins()[static_cast<std::size_t>(i)]);
    p[std::clamp(i, first, last)] += count;
    total += count;
    if (i >= first && i <= last) {
      inside[i] += count;
      kept += count;
    }
  }
  std::map<std::int64_t, double> mass;    // by integer
  std::map<std::int64_t, double> filled;  // bins of P by integer
  auto integer_of = [&](int bin) {
    double centre = histogram.edge(bin) + histogram.width() / 2;
    auto q = static_cast<std::int64_t>(std::floor(centre / params.scale + 0.5)) + params.zero_point;
    return std::clamp(q, integers.q_min, integers.q_max);
  };
  for (const auto& [bin, count] : p) {
    mass[integer_of(bin)] += inside[bin];
    filled[integer_of(bin)] += count > 0 ? 1 : 0;
  }
  double sum = 0;
  for (const auto& [bin, count] : p) {
    if (count > 0) {
      double q = mass[integer_of(bin)] / filled[integer_of(bin)] / kept;
      sum += q > 0 ? count / total * std::log(count / total / q) : INFINITY;
    }
  }
  return sum;
}

TEST(LeastDivergence, IsThatOfTheDistributionsWrittenOut) {
  for (Shape shape : kShapes) {
    Sample sample = drawn(shape, 20000, 3);
    for (QuantizedType type : {kUint8, QuantizedType{8, true}, QuantizedType{4, false}}) {
      int compared = 0;
      for (int bins = 40; bins < Histogram::kSide; bins += 197) {
        double fast = divergence(sample.histogram, sample.seen, type, bins);
        if (std::isinf(fast)) {
          continue;
        }
        double full = divergence_in_full(sample, type, bins);
        EXPECT_NEAR(fast, full, 1e-9) << "shape " << static_cast<int>(shape) << " bins " << bins;
        ++compared;
      }
      EXPECT_GT(compared, 6);
    }
  }
}

TEST(LeastDivergence, FindsTheLeastOfAll) {
  for (Shape shape : kShapes) {
    Sample sample = drawn(shape, 50000, 5);
    RealRange found = least_divergence_range(sample.histogram, sample.seen, kUint8);
    double width = sample.histogram.width();
    float reach = std::max(-found.r_min, found.r_max);
    int chosen = static_cast<int>(std::ceil(reach / width));
    double least = divergence(sample.histogram, sample.seen, kUint8, chosen);
    int candidates = 0;
    for (int bins = Histogram::kSide / 16; bins <= Histogram::kSide; bins += 13) {
      double other = divergence(sample.histogram, sample.seen, kUint8, bins);
      EXPECT_GE(other, least - 1e-12) << bins;
      candidates += std::isfinite(other) ? 1 : 0;
    }
    EXPECT_GT(candidates, 50);  // there is something to search in
  }
}

TEST(LeastDivergence, KnownDistributionsHaveKnownRanges) {
  // Nothing of a uniform distribution is worth cutting off.
  Sample uniform = drawn(Shape::kUniform, 1000000, 1);
  EXPECT_GT(least_divergence_range(uniform.histogram, uniform.seen, kUint8).r_max, 0.99F);
  // A few values far outside are.
  for (Shape shape : {Shape::kNormal, Shape::kRectified, Shape::kLaplace}) {
    Sample sample = drawn(shape, 200000, 2);
    float bulk = sample.seen.r_max;
    sample.values.push_back(10 * bulk);
    Sample outlier(sample.values);
    RealRange range = least_divergence_range(outlier.histogram, outlier.seen, kUint8);
    EXPECT_LT(range.r_max, 1.05F * bulk);
    EXPECT_GT(range.r_max, 0.3F * bulk);
    EXPECT_GE(range.r_min, outlier.seen.r_min);
  }
  // As many bins as integers: every value has its own, and all of them stay.
  Sample few({1, 2, 3, 4});
  EXPECT_EQ(least_divergence_range(few.histogram, few.seen, {16, false}).r_max, 4);
  Sample zeros({0, 0});
  EXPECT_EQ(least_divergence_range(zeros.histogram, zeros.seen, kUint8).r_max, 0);
}

TEST(ChapterDivergence, CutsOffWhatTheCourseCutsOff) {
  // The course's own example: the positive half of 20,000 normal values with a deviation of 50 to 100 ends at
  // about 0.8 of the largest.
  for (unsigned seed = 0; seed < 3; ++seed) {
    Sample sample = drawn(Shape::kRectified, 20000, seed);
    RealRange range = chapter_divergence_range(sample.histogram, sample.seen);
    EXPECT_LT(range.r_max, sample.seen.r_max);
    EXPECT_GT(range.r_max, 0.4F * sample.seen.r_max);
    EXPECT_EQ(range.r_min, 0);
  }
  Sample both = drawn(Shape::kNormal, 20000, 9);
  RealRange range = chapter_divergence_range(both.histogram, both.seen);
  EXPECT_GE(range.r_min, both.seen.r_min);
  EXPECT_LE(range.r_max, both.seen.r_max);
  Sample zeros({0, 0});
  EXPECT_EQ(chapter_divergence_range(zeros.histogram, zeros.seen).r_max, 0);
}

/// Of quantizing every value.
double measured_error(const Sample& sample, RealRange range, QuantizedType type) {
  QuantParams params = *choose_params(range.r_min, range.r_max, type);
  double sum = 0;
  for (float value : sample.values) {
    double error = static_cast<double>(value) - dequantize(quantize(value, params, *type.range()), params);
    sum += error * error;
  }
  return sum / static_cast<double>(sample.values.size());
}

TEST(LeastSquares, ErrorIsThatOfQuantizingEveryValue) {
  for (Shape shape : kShapes) {
    Sample sample = drawn(shape, 20000, 4);
    for (QuantizedType type : {QuantizedType{2, false}, QuantizedType{4, true}, kUint8}) {
      for (float part : {0.2F, 0.7F, 1.0F}) {
        RealRange range{part * sample.seen.r_min, part * sample.seen.r_max};
        double measured = measured_error(sample, range, type);
        EXPECT_NEAR(squared_error(sample.histogram, range, type), measured, 0.03 * measured);
      }
    }
  }
}

TEST(LeastSquares, IsNoWorseThanTheBestOfAllRanges) {
  for (Shape shape : kShapes) {
    Sample sample = drawn(shape, 5000, 6);
    for (QuantizedType type : {QuantizedType{2, false}, QuantizedType{4, true}, kUint8}) {
      RealRange found = least_squares_range(sample.histogram, sample.seen, type);
      EXPECT_GE(found.r_min, std::min(sample.seen.r_min, 0.0F));
      EXPECT_LE(found.r_max, sample.seen.r_max);
      double least = INFINITY;
      constexpr int kParts = 16;
      for (int low = 0; low <= kParts; ++low) {
        for (int high = 1; high <= kParts; ++high) {
          RealRange range{std::min(sample.seen.r_min, 0.0F) * static_cast<float>(low) / kParts,
                          sample.seen.r_max * static_cast<float>(high) / kParts};
          least = std::min(least, measured_error(sample, range, type));
        }
      }
      EXPECT_LE(measured_error(sample, found, type), 1.03 * least)
          << "shape " << static_cast<int>(shape) << " " << type.name();
    }
  }
}

TEST(LeastSquares, CutsOffMoreTheFewerBitsThereAre) {
  Sample sample = drawn(Shape::kLaplace, 50000, 7);
  float before = 0;
  for (int bits : {2, 4, 6, 8}) {
    RealRange range = least_squares_range(sample.histogram, sample.seen, {bits, true});
    EXPECT_GT(range.r_max, before);
    before = range.r_max;
  }
  EXPECT_EQ(least_squares_range(sample.histogram, sample.seen, {16, true}).r_max, sample.seen.r_max);
  Sample zeros({0, 0});
  EXPECT_EQ(least_squares_range(zeros.histogram, zeros.seen, kUint8).r_max, 0);
}

}  // namespace
}  // namespace zeropoint::toolchain

#include "zeropoint/toolchain/image_data.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "data/image_files_for_test.h"
#include "data/labels_csv.h"
#include "io/temporary_path_for_test.h"
#include "zeropoint/toolchain/cifar.h"

namespace zeropoint::toolchain {
namespace {

namespace fs = std::filesystem;

class Folder : public testing::Test {
 protected:
  Folder() : folder_(temporary_path_for_test("folder")) { fs::create_directories(folder_); }
  ~Folder() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& content) const {
    fs::create_directories(fs::path(folder_ + "/" + name).parent_path());
    std::ofstream(folder_ + "/" + name, std::ios::binary) << content;
  }
  void expect_error(const std::string& part, const std::string& labels = "") const {
    Result<std::shared_ptr<const ImageSource>> images = open_image_folder(folder_, labels);
    ASSERT_FALSE(images.ok()) << part;
    EXPECT_NE(images.status().message().find(part), std::string::npos) << images.status().message();
  }

  std::string folder_;
};

Image one_pixel(std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  return {1, 1, 3, {red, green, blue}};
}

using ImageFolder = Folder;

TEST_F(ImageFolder, ReadsAListOfLabels) {
  write("b.png", png_file(one_pixel(1, 2, 3)));
  write("sub/a, b.PNG", png_file(Image{1, 1, 1, {9}}));
  write("labels.csv", "file,class\r\nb.png,7\r\n\"sub/a, b.PNG\",0\r\n");
  Result<std::shared_ptr<const ImageSource>> images = open_image_folder(folder_);
  ASSERT_TRUE(images.ok()) << images.status().message();
  EXPECT_EQ((*images)->size(), 2);
  EXPECT_EQ((*images)->label(0), 7);
  EXPECT_TRUE((*images)->class_names().empty());
  Preprocess how;
  how.channels = ChannelOrder::kBgr;
  auto data = preprocessed_images(*images, how);
  ASSERT_TRUE(data.ok()) << data.status().message();
  std::vector<float> sample(3);
  ASSERT_TRUE((*data)->read(0, sample).ok());
  EXPECT_EQ(sample, (std::vector<float>{3, 2, 1}));
  ASSERT_TRUE((*data)->read(1, sample).ok());
  EXPECT_EQ(sample, (std::vector<float>{9, 9, 9}));
  // Without a say in channels, a grey image among coloured ones has another shape.
  data = preprocessed_images(*images, Preprocess());
  ASSERT_TRUE(data.ok());
  EXPECT_NE((*data)->read(1, sample).message().find("the image gives [1, 1, 1] and the first one [3, 1, 1]"),
            std::string::npos);
}

TEST_F(ImageFolder, TakesFoldersAsClassesInTheOrderOfTheirNames) {
  write("dog/2.png", png_file(one_pixel(1, 1, 1)));
  write("cat/9.png", png_file(one_pixel(2, 2, 2)));
  write("cat/10.png", png_file(one_pixel(3, 3, 3)));
  write("cat/notes.txt", "no image");
  write(".hidden/x.png", "no image");
  Result<std::shared_ptr<const ImageSource>> images = open_image_folder(folder_);
  ASSERT_TRUE(images.ok()) << images.status().message();
  EXPECT_EQ((*images)->class_names(), (std::vector<std::string>{"cat", "dog"}));
  ASSERT_EQ((*images)->size(), 3);
  EXPECT_EQ((*images)->name(0), folder_ + "/cat/10.png");
  EXPECT_EQ((*images)->label(0), 0);
  EXPECT_EQ((*images)->label(2), 1);
}

TEST_F(ImageFolder, TakesImagesWithoutLabels) {
  write("b.png", png_file(one_pixel(1, 1, 1)));
  write("a.jpg", jpeg_file(one_pixel(2, 2, 2)));
  Result<std::shared_ptr<const ImageSource>> images = open_image_folder(folder_);
  ASSERT_TRUE(images.ok()) << images.status().message();
  EXPECT_EQ((*images)->label(0), -1);
  EXPECT_EQ((*images)->name(0), folder_ + "/a.jpg");
  write("class/c.png", png_file(one_pixel(1, 1, 1)));
  expect_error("images both in folders of classes and outside of them");
}

TEST_F(ImageFolder, SaysWhichFileIsWrong) {
  expect_error("no images (.jpg, .jpeg, .png)");
  write("a.png", "no image");
  write("labels.csv", "file,label\na.png,0\n");
  auto broken = preprocessed_images(*open_image_folder(folder_), Preprocess());
  EXPECT_EQ(broken.status().message(), folder_ + "/a.png: neither a JPEG nor a PNG image");
  write("labels.csv", "file,label\nb.png,0\n");
  expect_error("labels.csv: 'b.png' is listed and not there");
  write("labels.csv", "file,label\n../b.png,0\n");
  expect_error("'../b.png' is not in the folder");
  write("labels.csv", "file,label\n/etc/passwd,0\n");
  expect_error("'/etc/passwd' is not in the folder");
  write("labels.csv", "file,label\na.png,x\n");
  expect_error("labels.csv: line 2: label 'x' is no whole number");
  expect_error("nothing.csv: cannot open", folder_ + "/nothing.csv");
  EXPECT_EQ(open_image_folder(folder_ + "/none").status().code(), StatusCode::kNotFound);
}

TEST_F(ImageFolder, SaysWhichImageDoesNotFit) {
  write("a.png", png_file(pattern_image(4, 4, 3)));
  write("b.png", png_file(pattern_image(4, 5, 3)));
  std::shared_ptr<const ImageSource> images = *open_image_folder(folder_);
  std::unique_ptr<Dataset> data = *preprocessed_images(images, Preprocess());
  std::vector<float> sample(48);
  EXPECT_TRUE(data->read(0, sample).ok());
  EXPECT_NE(data->read(1, sample).message().find("b.png: the image gives [3, 4, 5]"), std::string::npos);
  Preprocess how;
  how.crop = PixelSize{5, 5};
  EXPECT_NE(preprocessed_images(images, how).status().message().find("a.png: the image is 4x4"),
            std::string::npos);
  how.crop.reset();
  how.transform.steps = {Normalize{{1, 2}, {1}}};
  EXPECT_FALSE(preprocessed_images(images, how).ok());
}

TEST(LabelsCsv, ReadsTheColumnsThatAreNamed) {
  Result<std::vector<LabelledFile>> files = parse_labels_csv(
      "\xef\xbb\xbfid,label,name,image\n1,5,\"a \"\"b\"\"\",x.png\n\n2, 6 ,\"two\nlines\",y.png");
  ASSERT_TRUE(files.ok()) << files.status().message();
  ASSERT_EQ(files->size(), 2U);
  EXPECT_EQ((*files)[0].file, "x.png");
  EXPECT_EQ((*files)[1].label, 6);
  EXPECT_EQ(parse_labels_csv("a.png,3\n")->front().label, 3);
  EXPECT_TRUE(parse_labels_csv("")->empty());
}

TEST(LabelsCsv, NamesTheLine) {
  for (const auto& [text, part] : std::vector<std::pair<std::string, std::string>>{
           {"a.png", "line 1: 1 fields"},
           {"file,label\na.png,1,2", "line 2: 3 fields"},
           {"a.png,-1", "line 1: label '-1'"},
           {"a.png,", "line 1: label ''"},
           {"a.png,1.0", "line 1: label '1.0'"},
           {"a.png,99999999999999999999", "line 1: label '9999"},
           {"a.png,1\n\"b,2", "line 2: a quote is not closed"}}) {
    Result<std::vector<LabelledFile>> files = parse_labels_csv(text);
    ASSERT_FALSE(files.ok()) << text;
    EXPECT_NE(files.status().message().find(part), std::string::npos) << files.status().message();
  }
}

using Cifar = Folder;

std::string record(std::string labels, char pixel) { return std::move(labels) + std::string(3072, pixel); }

TEST_F(Cifar, ReadsBothKinds) {
  write("ten.bin", record("\3", 5) + record("\11", 6));
  Result<ByteImages> ten = read_cifar(folder_ + "/ten.bin");
  ASSERT_TRUE(ten.ok()) << ten.status().message();
  EXPECT_EQ(ten->labels, (std::vector<std::int64_t>{3, 9}));
  EXPECT_EQ(ten->class_names[3], "cat");
  EXPECT_EQ(ten->pixels.size(), 6144U);
  EXPECT_EQ(ten->pixels[3072], 6);
  write("hundred.bin", record("\3\143", 5));
  Result<ByteImages> hundred = read_cifar(folder_ + "/hundred.bin");
  ASSERT_TRUE(hundred.ok()) << hundred.status().message();
  EXPECT_EQ(hundred->labels, std::vector<std::int64_t>{99});
  EXPECT_FALSE(read_cifar(folder_ + "/hundred.bin", CifarKind::kCifar10).ok());
}

TEST_F(Cifar, JoinsTheFilesOfAFolder) {
  write("cifar-10-batches-bin/data_batch_1.bin", record("\1", 1));
  write("cifar-10-batches-bin/data_batch_2.bin", record("\2", 2) + record("\3", 3));
  Result<ByteImages> images = read_cifar_folder(folder_, Split::kTrain);
  ASSERT_TRUE(images.ok()) << images.status().message();
  EXPECT_EQ(images->labels, (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_TRUE(has_cifar(folder_, Split::kTrain));
  EXPECT_FALSE(has_cifar(folder_, Split::kTest));
  EXPECT_EQ(read_cifar_folder(folder_, Split::kTest).status().code(), StatusCode::kNotFound);
  std::shared_ptr<const ImageSource> source = *images_in_memory(*std::move(images));
  Result<Image> image = source->image(2);
  EXPECT_EQ(image->channels, 3);
  EXPECT_EQ(image->pixels[100], 3);
}

TEST_F(Cifar, RefusesOtherFiles) {
  write("empty.bin", "");
  write("cut.bin", record("\1", 1).substr(1));
  write("label.bin", record("\12", 1));
  EXPECT_NE(read_cifar(folder_ + "/empty.bin").status().message().find("empty.bin: the file is empty"),
            std::string::npos);
  EXPECT_NE(read_cifar(folder_ + "/cut.bin").status().message().find("3072 bytes are no whole number"),
            std::string::npos);
  EXPECT_NE(read_cifar(folder_ + "/label.bin").status().message().find("record 0 has label 10"),
            std::string::npos);
}

}  // namespace
}  // namespace zeropoint::toolchain

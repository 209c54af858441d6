// SigV4 against AWS's published test suite and the examples of the S3 documentation, every intermediate text.
#include <doctest/doctest.h>

#include "ext/base/digest.h"
#include "vfs/sigv4.h"
#include "vfs/url.h"

using namespace ts;

namespace {

const std::string kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const SigV4Scope kSuite{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service", "20150830T123600Z"};
const SigV4Scope kDocs{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1", "s3", "20130524T000000Z"};

SigV4Request suite(const std::string& method, const std::string& path, const std::string& query,
                   std::vector<std::pair<std::string, std::string>> more = {}) {
  SigV4Request request{method, path, query, {{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}}, kEmpty};
  request.headers.insert(request.headers.end(), more.begin(), more.end());
  return request;
}

}  // namespace

TEST_CASE("sigv4: get-vanilla of the suite has its canonical request, string to sign, signature and header") {
  const SigV4 got = sign_v4(suite("GET", "/", ""), kSuite);
  CHECK(got.canonical_request == "GET\n/\n\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\nhost;x-amz-date\n" + kEmpty);
  CHECK(got.string_to_sign ==
        "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/service/aws4_request\n"
        "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63");
  CHECK(got.signature == "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  CHECK(got.authorization ==
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, "
        "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  CHECK(sign_v4(suite("GET", "", ""), kSuite).signature == got.signature);
  CHECK(sign_v4(suite("POST", "/", ""), kSuite).signature == "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
}

TEST_CASE("sigv4: the canonical request orders query parameters by byte") {
  const SigV4 got = sign_v4(suite("GET", "/", encode_query({{"Param2", "value2"}, {"Param1", "value1"}})), kSuite);
  CHECK(got.canonical_request ==
        "GET\n/\nParam1=value1&Param2=value2\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\nhost;x-amz-date\n" + kEmpty);
  CHECK(got.string_to_sign.ends_with("816cd5b414d056048ba4f7c5386d6e0533120fb1fcfa93762cf0fc39e2cf19e0"));
  CHECK(got.signature == "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
}

TEST_CASE("sigv4: UTF-8 in path and query is signed as its percent-encoding") {
  const SigV4 query = sign_v4(suite("GET", "/", encode_query({{"\xE1\x88\xB4", "bar"}})), kSuite);
  CHECK(query.canonical_request.starts_with("GET\n/\n%E1%88%B4=bar\n"));
  CHECK(query.signature == "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04");
  const SigV4 path = sign_v4(suite("GET", percent_encode("/\xE1\x88\xB4", true), ""), kSuite);
  CHECK(path.signature == "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85");
}

TEST_CASE("sigv4: header values lose outer blanks and repeated inner ones") {
  const SigV4 got = sign_v4(suite("GET", "/", "", {{"My-Header1", " value1"}, {"My-Header2", "  \"a   b   c\"  "}}), kSuite);
  CHECK(got.canonical_request ==
        "GET\n/\n\nhost:example.amazonaws.com\nmy-header1:value1\nmy-header2:\"a b c\"\nx-amz-date:20150830T123600Z\n\n"
        "host;my-header1;my-header2;x-amz-date\n" +
            kEmpty);
  CHECK(got.signature == "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736");
}

TEST_CASE("sigv4: values of one header name are joined in the order given") {
  const SigV4 got = sign_v4(suite("GET", "/", "", {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}}), kSuite);
  CHECK(got.canonical_request.find("my-header1:value2,value2,value1\n") != std::string::npos);
  CHECK(got.signature == "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea");
}

TEST_CASE("sigv4: the S3 documentation's GET of a range has its three texts") {
  const SigV4 got = sign_v4({"GET",
                             "/test.txt",
                             "",
                             {{"Host", "examplebucket.s3.amazonaws.com"},
                              {"Range", "bytes=0-9"},
                              {"x-amz-content-sha256", kEmpty},
                              {"x-amz-date", "20130524T000000Z"}},
                             kEmpty},
                            kDocs);
  CHECK(got.canonical_request == "GET\n/test.txt\n\nhost:examplebucket.s3.amazonaws.com\nrange:bytes=0-9\nx-amz-content-sha256:" + kEmpty +
                                     "\nx-amz-date:20130524T000000Z\n\nhost;range;x-amz-content-sha256;x-amz-date\n" + kEmpty);
  CHECK(got.string_to_sign ==
        "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n"
        "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972");
  CHECK(got.signature == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST_CASE("sigv4: the S3 documentation's PUT signs the body's hash and an encoded path") {
  const std::string hash = hex(sha256("Welcome to Amazon S3."));
  CHECK(hash == "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
  const SigV4 got = sign_v4({"PUT",
                             percent_encode("/test$file.text", true),
                             "",
                             {{"Host", "examplebucket.s3.amazonaws.com"},
                              {"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                              {"x-amz-content-sha256", hash},
                              {"x-amz-date", "20130524T000000Z"},
                              {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                             hash},
                            kDocs);
  CHECK(got.canonical_request.starts_with("PUT\n/test%24file.text\n\ndate:Fri, 24 May 2013 00:00:00 GMT\n"));
  CHECK(got.string_to_sign.ends_with("9e0e90d9c76de8fa5b200d8c849cd5b8dc7a3be3951ddb7f6a76b4158342019d"));
  CHECK(got.signature == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST_CASE("sigv4: the S3 documentation's listing signs its query") {
  const SigV4 got =
      sign_v4({"GET",
               "/",
               encode_query({{"prefix", "J"}, {"max-keys", "2"}}),
               {{"Host", "examplebucket.s3.amazonaws.com"}, {"x-amz-content-sha256", kEmpty}, {"x-amz-date", "20130524T000000Z"}},
               kEmpty},
              kDocs);
  CHECK(got.canonical_request.starts_with("GET\n/\nmax-keys=2&prefix=J\n"));
  CHECK(got.string_to_sign.ends_with("df57d21db20da04d7fa30298dd4488ba3a2b47ca3a489c74750e0f1e7df1b9b7"));
  CHECK(got.signature == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST_CASE("sigv4: dates are UTC in the basic format") {
  CHECK(amz_date(0) == "19700101T000000Z");
  CHECK(amz_date(1'369'353'600'999) == "20130524T000000Z");
  CHECK(amz_date(1'709'210'096'000) == "20240229T123456Z");
}
